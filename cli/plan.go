package cli

import (
	"slices"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft/measure"
)

// planFlag is --plan alone, --plan=training, or --plan=after:PASS.
type planFlag struct{ *urfave.GenericFlag }

func newPlanFlag() *planFlag {
	return &planFlag{&urfave.GenericFlag{
		Name: "plan", Value: new(planStage), EnvVars: environment("plan"),
		Usage: "print the program; --plan=training: of a step; --plan=after:PASS: the network behind one pass",
	}}
}

// TakesValue is false: a value has to be written with "=".
func (*planFlag) TakesValue() bool { return false }

// planStage is the value of the flag: "", "true", "false", trainingStage, or "after:PASS".
type planStage string

func (*planStage) IsBoolFlag() bool { return true }

func (s *planStage) String() string {
	if s == nil {
		return ""
	}
	return string(*s)
}

// Set takes any text: what is wrong with it is said where the flag is used.
func (s *planStage) Set(text string) error {
	*s = planStage(text)
	return nil
}

// trainingStage asks for the program of a training step.
const trainingStage = "training"

// stageOf tells whether a plan is asked for, and which: "" for the program that answers, trainingStage, or the name of a pass.
func stageOf(c *urfave.Context) (asked bool, stage string, err error) {
	text := c.Generic("plan").(*planStage).String()
	if text == "" || text == trainingStage {
		return text != "", text, nil
	}
	if asked, err := strconv.ParseBool(text); err == nil {
		return asked, "", nil
	}
	passes := measure.Passes()
	pass, found := strings.CutPrefix(text, "after:")
	if !found || !slices.Contains(passes, pass) {
		return false, "", usagef("--plan=%s: there is --plan, --plan=training, and --plan=after:PASS with one of %s", text, strings.Join(passes, ", "))
	}
	return true, pass, nil
}

type planJSON struct {
	Schema string     `json:"schema"`
	Batch  int        `json:"batch"`
	ISA    string     `json:"isa"`
	Steps  []planStep `json:"steps"`
}

type planStep struct {
	Op     string `json:"op"`
	Kernel string `json:"kernel"`
	Shapes string `json:"shapes"`
	Node   string `json:"node"`
	Why    string `json:"why"`
	// Interpreted steps run the operator's own Do, slowly, for want of a fast form.
	Interpreted bool `json:"interpreted"`
}

// printPlan prints a program of a model, or what the planner has of it behind a pass.
func printPlan(con *console, c *urfave.Context, m *measure.Model, stage string) error {
	images, plan := c.Int("batch-size"), m.Plan
	switch stage {
	case "":
	case trainingStage:
		plan = m.TrainingPlan
		if !c.IsSet("batch-size") {
			images = 2 // BatchNorm wants more values than one
		}
	default:
		text, err := m.PlanAfter(images, stage)
		if err != nil {
			return fail(statusModel, err)
		}
		con.printf("%s", text)
		return nil
	}
	program, err := plan(images)
	if err != nil {
		return fail(statusModel, err)
	}
	if !c.Bool("json") {
		con.printf("%s", program)
		return nil
	}
	v := planJSON{Schema: "regraft/plan/1", Batch: program.Batch, ISA: program.ISA.Name}
	for _, s := range program.Steps {
		v.Steps = append(v.Steps, planStep{s.Op, s.Prim.Name(), s.Shapes, s.Node, s.Why, s.Interpreted()})
	}
	return con.json(v)
}
