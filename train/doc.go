// Package train fits a network to folders of photos: its heads on features of a frozen trunk, or
// everything; it keeps the best model, checkpoints and reports. It prints nothing: whoever calls it
// hears of its progress through Events.
//
// The way of a run: [Fit] locks the folder for its results (folder.go, lock.go), reads those of the photos (data.go), gives the
// network heads for the classes (graft.go), looks at every photo (inspect.go) and goes through the epochs (loop.go) with a
// learner: heads.go on features that extract.go computes or finds in a cache (collect.go), with settings that choose.go chooses by folds
// (trial.go, folds.go, groups.go), or full.go on all parameters. The best model is kept on the way (best.go), and it ends with
// the reports of that (finish.go, metrics.go, figures.go). checkpoint.go and resume.go carry an interrupted run on to
// the very bits, and waiter.go lets it outlive photos that are away for a moment.
//
// # Traps of training heads alone
//
// Runs that freeze the trunk are known to fall far below what the features allow, down to a fifth of it, for
// reasons that the loss does not show:
//
//   - A trunk without gradients is not frozen: BatchNorm in training mode normalises with the batch and moves its
//     running statistics at every forward pass, so that the model that is saved is not the one that was trained. Here
//     the trunk runs in inference form, and its hash, running statistics included, is the same before and after.
//   - Dropout in front of the head, left on while features are computed, caches noise. In inference form it is off.
//   - Pooled features are small (a root mean square of 0.06 in Inception-v3), and a learning rate made for fresh
//     images learns nothing from them for dozens of epochs. Here they are put on a common scale first.
//   - Photos prepared otherwise than the weights want (mean and deviation, or none; RGB order) give features that
//     look healthy. The preprocessing travels with the model.
//   - Heads solved on frozen features have large weights, which wreck the trunk when everything trains from
//     there. Fit sees that and tempers them (head.Temper).
package train
