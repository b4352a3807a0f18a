package cli

import (
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"

	"regraft/photo"
	"regraft/train"
)

// Of more classes than these the text shows the worst only.
const (
	matrixClasses = 30 // columns that still fit a wide terminal
	tableClasses  = 100
	worst         = 20
)

// printReport prints how a model does on a labelled set: accuracy, a line a class, the confusion
// matrix; of many classes the worst, and where the others are.
func printReport(con *console, labels []string, r *train.Report, others string) error {
	con.printf("accuracy %.1f %%, loss %.4f, %s\n\n", 100*r.Accuracy, r.Loss, counted(r.Images, "photo"))
	classes := r.PerClass
	if len(classes) > tableClasses {
		con.printf("the %d classes of %d with the lowest F1 (%s)\n", worst, len(classes), others)
		classes = slices.SortedStableFunc(slices.Values(classes), func(a, b train.PerClass) int { return cmp.Compare(a.F1, b.F1) })[:worst]
	}
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "photos\tprecision\trecall\tF1\t  class")
	for _, c := range classes {
		fmt.Fprintf(w, "%d\t%.1f %%\t%.1f %%\t%.3f\t  %s\n", c.N, 100*c.Precision, 100*c.Recall, c.F1, shown(c.Label))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(labels) > matrixClasses {
		return printConfused(con, r.Confused, others)
	}
	return printConfusion(con, labels, r.Confusion)
}

// printConfusion prints counts: a row is the true class, a column the answer.
func printConfusion(con *console, labels []string, counts train.Confusion) error {
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
		fmt.Fprintf(w, "  %d %s\n", i+1, shown(labels[i]))
	}
	return w.Flush()
}

// printConfused prints the pairs of classes that are confused most.
func printConfused(con *console, pairs []train.Confused, others string) error {
	if len(pairs) == 0 {
		con.printf("\nno photo was taken for another class\n")
		return nil
	}
	con.printf("\nmost often confused (a whole matrix is printed of up to %d classes; %s)\n", matrixClasses, others)
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "photos\ttrue class\tanswer")
	for _, p := range pairs[:min(worst, len(pairs))] {
		fmt.Fprintf(w, "%d\t%s\t%s\n", p.N, shown(p.True), shown(p.Answer))
	}
	return w.Flush()
}

// printAdvice prints what should be done otherwise.
func printAdvice(con *console, advice []string) {
	if len(advice) == 0 {
		return
	}
	con.printf("\nadvice:\n")
	for _, text := range advice {
		con.printf("* %s\n", folded(text, columns(con.outTerminal)-2))
	}
}

// printExample prints the probabilities of a photo; of many classes those of the most probable.
func printExample(con *console, x *train.Example, labels []string) {
	con.printf("\na photo of that set, %s (%s):\n", shown(x.Path), shown(x.Label))
	order := make([]int, len(x.P))
	for i := range order {
		order[i] = i
	}
	if len(order) > matrixClasses {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x.P[b], x.P[a]) })
		order = order[:worst]
	}
	for _, i := range order {
		con.printf("  %5.1f %%  %s\n", 100*x.P[i], shown(labels[i]))
	}
	if n := len(x.P) - len(order); n > 0 {
		con.printf("  and %s of less\n", photo.Count(n, "class", "classes"))
	}
}
