// Package heatmap says where on a photo the score of a class comes from.
//
// Where the scores are a linear layer's of the means of a last map, or such means, the class activation map is exact: the layer's weights
// of the class times the map (Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016). Elsewhere the weights are
// the gradients of the score in the means of the map's channels (Selvaraju et al., Grad-CAM, ICCV 2017), to which the former are equal
// where both exist. Of networks that mix a photo's places behind their last map, transformers, there is none.
package heatmap
