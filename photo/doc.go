// Package photo turns folders of photos into batches of network input.
//
// The way of a photo: [Scan] or [Files] finds it, [Decode] turns its bytes into
// an upright RGB [Image], [Preprocess] resizes and scales it into a (C, H, W)
// tensor, and a [Loader] runs that ahead of the arithmetic on several workers
// and hands out batches (N, C, H, W) in an order that depends on seed and epoch alone.
//
// The numbers follow what the pretrained weights saw in training: JPEGs decode
// as libjpeg-turbo decodes them and are resized as Pillow resizes them.
package photo
