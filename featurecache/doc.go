// Package featurecache keeps on disk what a network's trunk computes of photos, and small pictures of them, so that nobody waits for the
// same work twice.
//
// An entry is a file of its own, named by a hash of all that decides its numbers: the trunk, the preprocessing and the view of the
// photo, and the photo's bytes. Entries are written whole and have a checksum, so several processes may share a cache, a killed one
// leaves nothing half-written, and a damaged entry is as good as none. Nothing in a cache is needed: it may go at any time.
package featurecache
