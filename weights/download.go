package weights

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// CacheDir is where downloaded weights are kept: the folder regraft in the user's cache folder.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache folder for downloads: %w", err)
	}
	return filepath.Join(dir, "regraft", "weights"), nil
}

// Download fetches a source into a folder. The zero values of all fields but Dir are good.
type Download struct {
	// Dir receives the file; while it is incomplete its name ends in .part, from which a later download goes on.
	Dir string
	// Progress is told how many bytes have arrived, and how many there will be, or 0.
	Progress func(done, total int64)
	// Client takes the proxy from the environment (HTTPS_PROXY, NO_PROXY) unless it is set.
	Client *http.Client
	// Stall is how long the server may send nothing, by default 30 seconds; Pause is waited before the second
	// attempt, twice as long before the third, by default 2 seconds.
	Stall, Pause time.Duration
}

// largest bounds what is downloaded where the size is not known.
const largest = 2 << 30

// size is the size in words.
func (s *Source) size() string {
	if s.Bytes == 0 {
		return fmt.Sprintf("less than %d bytes", int64(largest))
	}
	return fmt.Sprintf("%d bytes", s.Bytes)
}

// attempts is how often a download is tried in a row without a byte more.
const attempts = 5

// permanent marks errors that trying again does not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Fetch returns the path of the source's file, which it downloads unless it is there with the right
// checksum. It resumes after a cut, tries again a few times, and ends early when ctx does.
func (d *Download) Fetch(ctx context.Context, s *Source) (string, error) {
	path := filepath.Join(d.Dir, s.File())
	if sum, err := fileSum(path); err == nil && strings.HasPrefix(sum, s.SHA256) {
		return path, nil
	}
	if err := os.MkdirAll(d.Dir, 0o777); err != nil {
		return "", err
	}
	part := path + ".part"
	pause := d.Pause
	if pause == 0 {
		pause = 2 * time.Second
	}
	for tries := 1; ; tries++ {
		before := sizeOf(part)
		err := d.attempt(ctx, s, part)
		if err == nil {
			return path, os.Rename(part, path)
		}
		if sizeOf(part) > before {
			tries = 1
		}
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case errors.As(err, new(permanent)):
			return "", fmt.Errorf("%s: %w", s.URL, err)
		case tries == attempts:
			return "", fmt.Errorf("%s: given up after %d attempts: %w", s.URL, tries, err)
		}
		select {
		case <-time.After(pause << (tries - 1)):
		case <-ctx.Done():
		}
	}
}

// attempt asks for what is missing of the part and checks the whole.
func (d *Download) attempt(ctx context.Context, s *Source, part string) error {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return permanent{err}
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return permanent{err}
	}
	if err := d.request(ctx, s, f, have); err != nil {
		return err
	}
	sum, err := fileSum(part)
	if err != nil {
		return permanent{err}
	}
	if !strings.HasPrefix(sum, s.SHA256) {
		if err := f.Truncate(0); err != nil {
			return permanent{err}
		}
		err := fmt.Errorf("the server sent another file: its SHA-256 begins with %s, not with %s", sum[:len(s.SHA256)], s.SHA256)
		if have > 0 {
			return err // what was there before may be to blame
		}
		return permanent{err}
	}
	if err := f.Sync(); err != nil {
		return permanent{err}
	}
	return nil
}

// request appends to f, which holds the first have bytes, what the server sends.
func (d *Download) request(ctx context.Context, s *Source, f *os.File, have int64) error {
	stall := d.Stall
	if stall == 0 {
		stall = 30 * time.Second
	}
	stalled := fmt.Errorf("nothing came for %v", stall)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(stall, func() { cancel(stalled) })
	defer watchdog.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return permanent{err}
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := d.client().Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return nil // everything is there already, unless it is of another file, which its checksum tells
	}
	total, err := begin(resp, f, &have)
	if err != nil {
		return err
	}
	if total > s.Bytes+s.Bytes/50+1<<16 && s.Bytes > 0 || total > largest {
		return permanent{fmt.Errorf("the server offers %d bytes where the file has %s: it is another file", total, s.size())}
	}
	return d.copy(ctx, s, f, resp.Body, have, total, func() { watchdog.Reset(stall) })
}

// begin looks at the status and puts f where the body belongs; total is 0 where the server does not tell it.
func begin(resp *http.Response, f *os.File, have *int64) (total int64, err error) {
	restart := func() error {
		*have = 0
		if err := f.Truncate(0); err != nil {
			return permanent{err}
		}
		_, err := f.Seek(0, io.SeekStart)
		return err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return max(resp.ContentLength, 0), restart()
	case http.StatusPartialContent:
		var first, last int64
		if n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total); n < 2 || first != *have {
			return 0, errors.Join(fmt.Errorf("the server sent another part (%q) than was asked for", resp.Header.Get("Content-Range")), restart())
		}
		return total, nil
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
	default:
		if resp.StatusCode < 500 {
			return 0, permanent{fmt.Errorf("the server answers %s", resp.Status)}
		}
	}
	return 0, fmt.Errorf("the server answers %s", resp.Status)
}

// copy writes body to f and tells the watchdog of every piece.
func (d *Download) copy(ctx context.Context, s *Source, f *os.File, body io.Reader, have, total int64, alive func()) error {
	buffer := make([]byte, 1<<18)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			alive()
			if _, err := f.Write(buffer[:n]); err != nil {
				return permanent{err}
			}
			have += int64(n)
			if d.Progress != nil {
				d.Progress(have, max(total, s.Bytes))
			}
		}
		switch {
		case s.Bytes > 0 && have > 2*s.Bytes+1<<16, have > largest:
			return permanent{errors.Join(fmt.Errorf("the server sends more than the file has, %s: it is another file", s.size()), f.Truncate(0))}
		case err == io.EOF && have < total:
			return fmt.Errorf("the connection was cut at %d of %d bytes", have, total)
		case err == io.EOF:
			return nil
		case err != nil:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return fmt.Errorf("the connection was cut at %d of %d bytes: %w", have, total, err)
		}
	}
}

func (d *Download) client() *http.Client {
	if d.Client != nil {
		return d.Client
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}}
}

// unreachable says in plain words why there was no answer. Without a network trying again is of no use.
func unreachable(err error) error {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var dial *net.OpError
	const advice = "; behind a proxy set HTTPS_PROXY; or fetch the file with a browser and give it to regraft import"
	switch {
	case errors.As(err, &certificate):
		return permanent{fmt.Errorf("the server's certificate is not trusted (%w): is the date right, is there a proxy that inspects connections?", certificate.Err)}
	case errors.As(err, &dns):
		return permanent{fmt.Errorf("no connection to the internet, or no name server: %s is not found%s", dns.Name, advice)}
	case errors.As(err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect"):
		return permanent{fmt.Errorf("no connection: %w%s", dial, advice)}
	}
	return err
}

// fileSum is the SHA-256 of a file in hexadecimal.
func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
