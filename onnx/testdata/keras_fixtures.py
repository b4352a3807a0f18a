#!/usr/bin/env python3
"""Makes the tf2onnx fixtures of this folder (needs tensorflow, keras, tf2onnx, onnx, onnxruntime):

inception_v3.tf2onnx.eval.op17: Keras's own InceptionV3 with all numbers of channels divided, random weights
inception_v3_stem.tf2onnx.eval.op9.nchw: the same up to its first block, in an older opset, with an input (N, C, H, W)
refused/keras_training.op17: a model called with training=True, whose running statistics are lost

Beside the first two lies what Keras and ONNX Runtime compute of an input, which is stored as (N, C, H, W).
"""
import pathlib

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from keras.src.applications import inception_v3 as original

HERE = pathlib.Path(__file__).parent
CLASSES, DIVISOR, SIZE = 7, 64, 75


def narrow():
    """Keras's constructor, with its building block made narrower."""
    block = original.conv2d_bn
    original.conv2d_bn = lambda x, filters, *args, **kwargs: block(x, -(-filters // DIVISOR), *args, **kwargs)
    try:
        return original.InceptionV3(weights=None, input_shape=(SIZE, SIZE, 3), classes=CLASSES)
    finally:
        original.conv2d_bn = block


def randomise(model, rng):
    """Weights with which every layer counts: a fresh model's BatchNorm does nothing."""
    for layer in model.layers:
        values = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            *shifts, variance = values
            values = [rng.normal(0, 0.2, v.shape) for v in shifts] + [rng.uniform(0.5, 1.5, variance.shape)]
        else:
            values = [rng.normal(0, np.sqrt(2 / max(v[..., 0].size, 1)), v.shape) for v in values]
        layer.set_weights([v.astype(np.float32) for v in values])


def stem(model):
    """The first layers of the model with a classifier."""
    x = keras.layers.GlobalAveragePooling2D()(model.get_layer("mixed0").output)
    return keras.Model(model.input, keras.layers.Dense(CLASSES, activation="softmax")(x))


def convert(call, name, opset, channels_first=False, size=SIZE):
    """Convert a function of images (N, H, W, C)."""
    signature = (tf.TensorSpec((None, size, size, 3), tf.float32, name="input"),)
    proto, _ = tf2onnx.convert.from_function(
        tf.function(call, input_signature=signature), input_signature=signature, opset=opset,
        inputs_as_nchw=["input"] if channels_first else None)
    onnx.save(proto, str(HERE / f"{name}.onnx"))
    return onnxruntime.InferenceSession(proto.SerializeToString())


def fixture(model, name, opset, channels_first):
    # Blocks of equal pixels and few different values, for the sake of a small file.
    coarse = np.random.default_rng(opset).integers(-16, 17, (2, SIZE // 5, SIZE // 5, 3)) / 8
    images = coarse.repeat(5, 1).repeat(5, 2).astype(np.float32)
    session = convert(lambda x: model(x, training=False), name, opset, channels_first)
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    computed = session.run(None, {session.get_inputs()[0].name: planes if channels_first else images})[0]
    np.savez_compressed(HERE / f"{name}.npz", input=planes, ort_0=computed, keras_eval_0=model(images, training=False).numpy())


def training():
    """The smallest model that has everything that training=True spells out."""
    x = image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(scale=False)(x))
    x = keras.layers.Dense(CLASSES, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, x)
    convert(lambda x: model(x, training=True), "refused/keras_training.op17", 17, size=8)


def main():
    keras.utils.set_random_seed(1)
    model = narrow()
    randomise(model, np.random.default_rng(1))
    fixture(model, "inception_v3.tf2onnx.eval.op17", 17, channels_first=False)
    fixture(stem(model), "inception_v3_stem.tf2onnx.eval.op9.nchw", 9, channels_first=True)
    training()


if __name__ == "__main__":
    main()
