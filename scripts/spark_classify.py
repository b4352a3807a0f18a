"""Classifies photos on an Apache Spark cluster, each Python worker with one regraft that stays up.

    spark-submit --master spark://HOST:7077 --py-files regraft_pipe.py spark_classify.py --regraft /shared/regraft \\
        --model /shared/best.onnx --files-from photos.txt --out answers.parquet

The list, the model, the program and the photos lie where every machine sees them. Out are the columns path, label and p (of the best class), error and
answer, which is the line of `regraft classify --json`. A part whose machine dies is computed again elsewhere; Spark writes every part once.
"""
import argparse
import json

from pyspark.sql import SparkSession


def classify(command):
    """What answers for batches of paths."""
    def batches(frames):
        import pandas as pd
        from regraft_pipe import classifier
        for frame in frames:
            lines = classifier(*command).answers(list(frame["path"]))
            parsed = [json.loads(line) for line in lines]
            best = [a["top"][0] if a["top"] else {} for a in parsed]
            yield pd.DataFrame({"path": frame["path"].values, "label": [b.get("label") for b in best], "p": [b.get("p") for b in best],
                                "error": [a["error"] for a in parsed], "answer": lines})
    return batches


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["regraft", "model", "files-from", "out"]:
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--partitions", type=int, default=0, help="parts of the list that are tried again by themselves (default: one for 1,000 photos)")
    parser.add_argument("--flags", default="", help="further flags of regraft classify, such as '-k 3'")
    a = parser.parse_args()
    from regraft_pipe import listed
    paths = listed(a.files_from)
    spark = SparkSession.builder.appName("regraft").getOrCreate()
    parts = a.partitions or -(-len(paths) // 1000)
    table = spark.createDataFrame([(p,) for p in paths], "path string").repartition(parts)
    answers = table.mapInPandas(classify((a.regraft, a.model, *a.flags.split())), "path string, label string, p double, error string, answer string")
    answers.write.parquet(a.out)
    spark.stop()


if __name__ == "__main__":
    main()
