package cli

import (
	"fmt"
	"text/tabwriter"

	"regraft/train"
)

// printReport prints how a model does on a labelled set: accuracy, a line a class, the confusion
// matrix.
func printReport(con *console, labels []string, r *train.Report) error {
	con.printf("accuracy %.1f %%, loss %.4f, %d photos\n\n", 100*r.Accuracy, r.Loss, r.Images)
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "photos\tprecision\trecall\tF1\t  class")
	for _, c := range r.PerClass {
		fmt.Fprintf(w, "%d\t%.1f %%\t%.1f %%\t%.3f\t  %s\n", c.N, 100*c.Precision, 100*c.Recall, c.F1, c.Label)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printConfusion(con, labels, r.Confusion)
}

// printConfusion prints counts: a row is the true class, a column the answer.
func printConfusion(con *console, labels []string, counts [][]int) error {
	con.printf("\nrow: true class, column: answer\n")
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i := range labels {
		fmt.Fprintf(w, "%d\t", i+1)
	}
	fmt.Fprintln(w)
	for i, row := range counts {
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
		}
		fmt.Fprintf(w, "  %d %s\n", i+1, labels[i])
	}
	return w.Flush()
}
