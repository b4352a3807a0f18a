#!/usr/bin/env node
// Classifies one photo with ONNX Runtime and sharp; the whole process is timed by the caller. Without sharp the
// input is a ready tensor (.f32), so that decoding is left out, in the peer's favour.
//
//     ort_classify.js MODULES MODEL THREADS PHOTO
const { createRequire } = require("module");
const fs = require("fs");
const path = require("path");

const size = 299, short = 342, mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225];

async function tensor(load, file) {
  if (file.endsWith(".f32")) return new Float32Array(new Uint8Array(fs.readFileSync(file)).buffer);
  const edge = (short - size) >> 1;
  const pixels = await load("sharp")(file).resize(short, short, { fit: "cover", kernel: "linear" })
    .extract({ left: edge, top: edge, width: size, height: size }).removeAlpha().raw().toBuffer();
  const x = new Float32Array(3 * size * size);
  for (let c = 0; c < 3; c++)
    for (let p = 0; p < size * size; p++) x[c * size * size + p] = (pixels[3 * p + c] / 255 - mean[c]) / std[c];
  return x;
}

async function main() {
  const [modules, model, threads, photo] = process.argv.slice(2);
  const load = createRequire(path.resolve(modules, "resolve.js"));
  const ort = load("onnxruntime-node");
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 });
  const feed = { [session.inputNames[0]]: new ort.Tensor("float32", await tensor(load, photo), [1, 3, size, size]) };
  const logits = (await session.run(feed))[session.outputNames[0]].data;
  console.log(photo, logits.indexOf(Math.max(...logits)));
}
main();
