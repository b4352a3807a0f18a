// Package remote reads photos from other machines: by http and https, and from buckets that speak S3's protocol.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"regraft/photo"
)

// Is reports whether an input is read by this package.
func Is(input string) bool {
	scheme, _, found := strings.Cut(input, "://")
	return found && slices.Contains([]string{"http", "https", "s3", "gs"}, strings.ToLower(scheme))
}

// Client reads, on any number of goroutines; Files is for one.
type Client struct {
	ctx context.Context
	// stall is how long a server may send nothing; pause is waited before the second attempt, twice as long before the third.
	stall, pause time.Duration
	http         *http.Client
	stores       map[string]*store // by scheme
}

// New is a client that gives up when ctx ends. It takes the proxy from the environment.
func New(ctx context.Context) *Client { return newClient(ctx, 30*time.Second, time.Second) }

func newClient(ctx context.Context, stall, pause time.Duration) *Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: min(stall, 10*time.Second)}).DialContext
	t.ResponseHeaderTimeout = stall
	t.MaxIdleConnsPerHost = 16
	t.DisableCompression = true // the bytes as they are
	return &Client{ctx, stall, pause, &http.Client{Transport: t, CheckRedirect: redirect}, map[string]*store{}}
}

// redirect follows a server's word to go elsewhere, and does not tell there from which address we come, which may have a signature in it.
func redirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer")
	if len(via) >= 10 {
		return permanent{errors.New("it leads from one address to the next, ten times")}
	}
	return nil
}

// attempts is how often something is asked for.
const attempts = 3

// permanent marks errors that trying again does not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Files lists the photos at an address: the photo itself, or the objects of a bucket whose names begin so where it ends in /. The
// paths, and all that is said, are without passwords and signatures.
func (c *Client) Files(address string) ([]photo.File, []photo.LeftOut) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		path, _, _ := strings.Cut(address, "://")
		path += "://..."
		return []photo.File{{Path: path, Err: fmt.Errorf("%s: not an address that can be read: check what stands behind ://", path)}}, nil
	}
	if scheme := strings.ToLower(u.Scheme); scheme == "s3" || scheme == "gs" {
		return c.objects(scheme, address)
	}
	return []photo.File{{Path: shown(u), Read: func() ([]byte, error) { return c.page(u) }}}, nil
}

// page is what a server answers.
func (c *Client) page(u *url.URL) ([]byte, error) {
	return c.tried(func(ctx context.Context) (io.ReadCloser, int64, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, 0, permanent{errors.New("not an address that can be read")}
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, 0, err
		}
		if resp.StatusCode != http.StatusOK {
			resp.Body.Close()
			return nil, 0, refusal(resp.StatusCode, fmt.Errorf("the server answers %s", resp.Status))
		}
		return resp.Body, resp.ContentLength, nil
	})
}

// refusal is an error that is permanent unless the status says that the server is busy.
func refusal(status int, err error) error {
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return err
	}
	return permanent{err}
}

// tried reads what open brings, and its size where that is known, again after errors that may pass.
func (c *Client) tried(open func(ctx context.Context) (io.ReadCloser, int64, error)) ([]byte, error) {
	for n := 1; ; n++ {
		data, err := c.attempt(open)
		var lasting permanent
		switch {
		case err == nil:
			return data, nil
		case c.ctx.Err() != nil:
			return nil, c.ctx.Err()
		case errors.As(err, &lasting):
			return nil, bare(lasting.error)
		case n == attempts:
			return nil, fmt.Errorf("given up after %d attempts: %w", n, bare(err))
		}
		select {
		case <-time.After(c.pause << (n - 1)):
		case <-c.ctx.Done():
		}
	}
}

// attempt reads once. Too many bytes are an error before they are read, where the size is told.
func (c *Client) attempt(open func(ctx context.Context) (io.ReadCloser, int64, error)) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	stalled := fmt.Errorf("nothing came for %v", c.stall)
	watchdog := time.AfterFunc(c.stall, func() { cancel(stalled) })
	defer watchdog.Stop()
	body, size, err := open(ctx)
	if err == nil {
		defer body.Close()
		if size > photo.DefaultMaxBytes {
			return nil, permanent{fmt.Errorf("%d bytes are more than the limit of %d", size, photo.DefaultMaxBytes)}
		}
		var data []byte
		data, err = io.ReadAll(io.LimitReader(alive{body, watchdog, c.stall}, photo.DefaultMaxBytes+1))
		switch {
		case err == nil && len(data) > photo.DefaultMaxBytes:
			return nil, permanent{fmt.Errorf("it has more bytes than the limit of %d", photo.DefaultMaxBytes)}
		case err == nil && size >= 0 && int64(len(data)) != size:
			err = fmt.Errorf("%d of %d bytes came", len(data), size)
		case err == nil:
			return data, nil
		}
	}
	if context.Cause(ctx) == stalled {
		err = stalled
	}
	return nil, err
}

// alive puts off the watchdog whenever something comes.
type alive struct {
	io.Reader
	watchdog *time.Timer
	stall    time.Duration
}

func (a alive) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.watchdog.Reset(a.stall)
	}
	return n, err
}

// bare is an error without the address, which may have a password in it.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// secrets are parts of names of parameters whose values let others in.
var secrets = []string{"sig", "token", "key", "secret", "pass", "pwd", "cred", "auth", "policy", "session", "code"}

// shown is an address without password and signature.
func shown(u *url.URL) string {
	plain := *u
	plain.User = nil
	plain.Fragment, plain.RawFragment = "", ""
	var query []string
	for _, part := range strings.Split(plain.RawQuery, "&") {
		name, _, has := strings.Cut(part, "=")
		if has && slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(strings.ToLower(name), s) }) {
			part = name + "=..."
		}
		query = append(query, part)
	}
	plain.RawQuery = strings.Join(query, "&")
	return plain.String()
}
