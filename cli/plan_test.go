package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPlan: the program as text and as JSON has the same steps, and the network behind a pass has what the pass makes.
func TestPlan(t *testing.T) {
	text := must(t, "inspect", model, "--plan").stdout
	var v planJSON
	if err := json.Unmarshal([]byte(must(t, "inspect", "--plan", model, "--json").stdout), &v); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(text, "\nstep ")
	if rows := strings.Count(table, "\n") - 1; len(v.Steps) != rows || rows == 0 {
		t.Errorf("%d steps in JSON, %d in the text", len(v.Steps), rows)
	}
	for _, s := range v.Steps {
		if s.Interpreted != (s.Kernel == "interpreted") {
			t.Errorf("%s by %s: interpreted %v", s.Op, s.Kernel, s.Interpreted)
		}
	}
	training := must(t, "inspect", model, "--plan=training").stdout
	if !strings.Contains(training, "SoftmaxCrossEntropy") || strings.Contains(text, "SoftmaxCrossEntropy") {
		t.Errorf("the program of a training step ends in no loss, or that of answers in one:\n%s", training)
	}
	before := must(t, "inspect", model, "--plan=after:aliasReshapes").stdout
	after := must(t, "inspect", "--plan=after:foldBatchNorm", model).stdout
	if strings.Contains(before, "Conv+BatchNorm") || !strings.Contains(after, "Conv+BatchNorm") {
		t.Errorf("foldBatchNorm folds no BatchNorm:\n%s", after)
	}
}
