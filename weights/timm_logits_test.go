package weights_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/golden"
	"regraft/weights"
)

// TestTimm imports timm's models with random weights, .safetensors and .pth, and compares the logits with timm's.
func TestTimm(t *testing.T) {
	interpreter := python(t, "import timm, safetensors")
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for model, family := range map[string]string{
		"inception_v3.tf_in1k": "inception_v3", "resnet18.a1_in1k": "resnet18", "densenet121.ra_in1k": "densenet121",
		"vgg11_bn.tv_in1k": "vgg11_bn", "mobilenetv2_100.ra_in1k": "mobilenet_v2", "efficientnet_b0.ra_in1k": "efficientnet_b0",
		"mobilenetv3_large_100.ra_in1k": "mobilenet_v3_large", "mobilenetv3_small_100.lamb_in1k": "mobilenet_v3_small", "convnext_tiny.fb_in1k": "convnext_tiny",
		"tf_efficientnetv2_s.in21k_ft_in1k": "efficientnet_v2_s", "tf_efficientnet_b0.ns_jft_in1k": "efficientnet_b0",
		"tf_mobilenetv3_large_100.in1k": "mobilenet_v3_large", "regnety_004.tv2_in1k": "regnet_y_400mf",
		"convnextv2_atto.fcmae_ft_in1k": "convnextv2_atto", "convnextv2_tiny.fcmae_ft_in1k": "convnextv2_tiny", "convnext_tiny.dinov3_lvd1689m": "convnext_tiny",
		"mobilenetv4_conv_small.e2400_r224_in1k": "mobilenetv4_conv_small", "mobilenetv4_conv_medium.e500_r256_in1k": "mobilenetv4_conv_medium",
		"convnextv2_femto.fcmae_ft_in1k": "convnextv2_femto", "convnextv2_pico.fcmae_ft_in1k": "convnextv2_pico", "convnextv2_nano.fcmae_ft_in1k": "convnextv2_nano",
		"convnextv2_base.fcmae_ft_in1k": "convnextv2_base", "convnextv2_large.fcmae_ft_in1k": "convnextv2_large",
		"mobilenetv4_conv_large.e600_r384_in1k": "mobilenetv4_conv_large",
	} {
		t.Run(model, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command(interpreter, filepath.Join("testdata", "timm_reference.py"), "logits", model, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, file := range []string{"model.safetensors", "model.pth"} {
				i, err := weights.Import(filepath.Join(dir, file), weights.Options{})
				if err != nil {
					t.Fatal(err)
				}
				want := weights.FindSource(model)
				if i.Net.Meta.Arch != family || want != nil && *i.Net.Meta.Preprocess != want.Preprocess {
					t.Errorf("%s: %s, %+v", file, i.Net.Meta.Arch, i.Net.Meta.Preprocess)
				}
				compareLogits(t, i.Net, dir, plan.Options{ISA: isa})
			}
		})
	}
}

// compareLogits does compareOutputs with the main output and model.npz.
func compareLogits(t *testing.T, net *engine.Network, dir string, o plan.Options) {
	t.Helper()
	net, err := net.Subgraph(net.Outputs[0])
	if err != nil {
		t.Fatal(err)
	}
	compareOutputs(t, net, golden.Npz(t, filepath.Join(dir, "model.npz")), o)
}
