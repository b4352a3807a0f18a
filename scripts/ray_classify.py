"""Classifies photos on a Ray cluster, each actor with one regraft that stays up.

    python ray_classify.py --regraft /shared/regraft --model /shared/best.onnx --files-from photos.txt --out answers --actors 16

The list, the model, the program and the photos lie where every machine sees them. Out is a folder of Parquet files with the columns path and
answer, the line of `regraft classify --json`. What a worker had when it died is computed again by another.
"""
import argparse
import os
import sys

import ray

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


class Classify:
    def __init__(self, command):
        from regraft_pipe import Classifier
        self.classifier = Classifier(*command)

    def __call__(self, batch):
        paths = [str(p) for p in batch["path"]]
        return {"path": paths, "answer": self.classifier.answers(paths)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["regraft", "model", "files-from", "out"]:
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1000, help="photos that are tried again together")
    parser.add_argument("--flags", default="", help="further flags of regraft classify, such as '-k 3'")
    a = parser.parse_args()
    from regraft_pipe import listed
    paths = listed(a.files_from)
    ray.init(runtime_env={"env_vars": {"PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}})
    photos = ray.data.from_items([{"path": p} for p in paths], override_num_blocks=-(-len(paths) // a.batch))
    command = (a.regraft, a.model, *a.flags.split())
    answers = photos.map_batches(Classify, fn_constructor_args=(command,), batch_size=a.batch, concurrency=a.actors, max_restarts=-1, max_task_retries=-1)
    answers.write_parquet(os.path.abspath(a.out))


if __name__ == "__main__":
    main()
