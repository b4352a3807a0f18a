package weights

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// content is the file that the servers below have: its every part differs from every other.
var content = func() []byte {
	var b []byte
	for i := 0; len(b) < 300_000; i++ {
		b = fmt.Appendf(b, "%d,", i)
	}
	return b
}()

// remote is a server with the file and the source that names it.
type remote struct {
	*httptest.Server
	source   Source
	requests []string // the Range headers
	stall    time.Duration
}

// serve answers request n (from 0) with handle; nil serves the file as a good server does.
func serve(t *testing.T, handle func(n int, w http.ResponseWriter, r *http.Request) bool) *remote {
	t.Helper()
	s := &remote{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := len(s.requests)
		s.requests = append(s.requests, r.Header.Get("Range"))
		if handle == nil || !handle(n, w, r) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
		}
	}))
	t.Cleanup(s.Close)
	sum := sha256.Sum256(content)
	prefix := hex.EncodeToString(sum[:4])
	s.source = Source{Name: "net", URL: s.URL + "/net-" + prefix + ".pth", SHA256: prefix, Bytes: int64(len(content))}
	return s
}

// fetch downloads with short waits.
func (s *remote) fetch(t *testing.T, dir string) (string, error) {
	t.Helper()
	d := Download{Dir: dir, Stall: s.stall, Pause: time.Millisecond}
	return d.Fetch(t.Context(), &s.source)
}

// arrives checks that the file comes, whole and alone, and with which requests.
func (s *remote) arrives(t *testing.T, ranges ...string) {
	t.Helper()
	dir := t.TempDir()
	path, err := s.fetch(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != string(content) {
		t.Errorf("%d bytes arrived, %v", len(got), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
	if !slices.Equal(s.requests, ranges) {
		t.Errorf("requests for %q, want %q", s.requests, ranges)
	}
}

// fails checks the message and that no file pretends to be the weights.
func (s *remote) fails(t *testing.T, want string) {
	t.Helper()
	dir := t.TempDir()
	path, err := s.fetch(t, dir)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q, %v; the message should say %q", path, err, want)
	}
	if _, err := os.Stat(filepath.Join(dir, s.source.File())); err == nil {
		t.Error("a file was left under the name of the weights")
	}
}

func TestDownload(t *testing.T) {
	s := serve(t, nil)
	s.arrives(t, "")
	dir := t.TempDir()
	var calls, last int64
	d := Download{Dir: dir, Progress: func(done, total int64) {
		if done < last || total != int64(len(content)) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		calls, last = calls+1, done
	}}
	for range 2 { // the second time the file is there
		if _, err := d.Fetch(t.Context(), &s.source); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.requests) != 2 || last != int64(len(content)) || calls == 0 {
		t.Errorf("%d requests, %d calls of Progress, the last with %d", len(s.requests), calls, last)
	}
}

// cut sends the first n bytes of the answer and breaks the connection.
func cut(w http.ResponseWriter, r *http.Request, from, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(content[from : from+n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// TestCut: after a cut only the rest is asked for, as often as it helps.
func TestCut(t *testing.T) {
	const piece = 40_000
	s := serve(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n < 7 {
			cut(w, r, n*piece, piece)
		}
		return false
	})
	want := []string{""}
	for n := 1; n <= 7; n++ {
		want = append(want, fmt.Sprintf("bytes=%d-", n*piece))
	}
	s.arrives(t, want...)
}

// TestCutAlways gives up when attempts bring nothing more.
func TestCutAlways(t *testing.T) {
	s := serve(t, func(_ int, _ http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) })
	s.fails(t, "given up after 5 attempts")
	if len(s.requests) < attempts {
		t.Errorf("%d requests", len(s.requests))
	}
}

// TestStall: a server that falls silent is left, and what it sent is kept.
func TestStall(t *testing.T) {
	const stall = 200 * time.Millisecond
	for name, started := range map[string]bool{"before the answer": false, "in the middle": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n > 0 {
					return false
				}
				if started {
					w.Header().Set("Content-Length", fmt.Sprint(len(content)))
					w.Write(content[:1000])
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
				return true
			})
			s.stall = stall
			s.arrives(t, "", map[bool]string{true: "bytes=1000-"}[started])
		})
	}
	s := serve(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	s.stall = 50 * time.Millisecond
	s.fails(t, "nothing came for 50ms")
}

// TestLengths: servers that lie about the length.
func TestLengths(t *testing.T) {
	length := func(claimed int) *remote {
		return serve(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(claimed))
			w.Write(content[:min(claimed, len(content))])
			return true
		})
	}
	length(len(content)-500).fails(t, "another file")
	length(len(content)*3).fails(t, "another file")
	length(len(content)+100).fails(t, "cut at") // each time from the start, since it ignores ranges
	endless := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		for r.Context().Err() == nil {
			if _, err := w.Write(content); err != nil {
				return true
			}
		}
		return true
	})
	endless.fails(t, "sends more")
	unknown := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		w.(http.Flusher).Flush() // no length, in chunks
		w.Write(content)
		return true
	})
	unknown.arrives(t, "")
}

// TestWrongFile: another file, an error page, and a part that another file left.
func TestWrongFile(t *testing.T) {
	s := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		fmt.Fprint(w, "<html>log in to the hotel's network</html>")
		return true
	})
	s.fails(t, "another file: its SHA-256 begins with")

	good := serve(t, nil)
	dir := t.TempDir()
	part := filepath.Join(dir, good.source.File()+".part")
	if err := os.WriteFile(part, []byte(strings.Repeat("x", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := good.fetch(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if sum, _ := fileSum(path); !strings.HasPrefix(sum, good.source.SHA256) || !slices.Equal(good.requests, []string{"bytes=1000-", ""}) {
		t.Errorf("checksum %s after %q", sum, good.requests)
	}
	// A damaged file under the right name is replaced; a complete part is not asked for again.
	if err := os.WriteFile(path, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := good.fetch(t, dir); err != nil || good.requests[2] != fmt.Sprintf("bytes=%d-", len(content)) {
		t.Errorf("%v after %q", err, good.requests)
	}
}

// TestRanges: servers that know no ranges, or send others than were asked for.
func TestRanges(t *testing.T) {
	whole := serve(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 0 {
			cut(w, r, 0, 5000)
		}
		w.Write(content)
		return true
	})
	whole.arrives(t, "", "bytes=5000-")
	other := serve(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
		switch n {
		case 0:
			cut(w, r, 0, 5000)
		case 1:
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(content)
			return true
		}
		return false
	})
	other.arrives(t, "", "bytes=5000-", "")
}

// TestStatus: what is gone is not asked for again, what is busy is.
func TestStatus(t *testing.T) {
	status := func(code, times int) *remote {
		return serve(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n < times {
				http.Error(w, "no", code)
			}
			return n < times
		})
	}
	gone := status(http.StatusNotFound, 100)
	gone.fails(t, "404 Not Found")
	if len(gone.requests) != 1 {
		t.Errorf("%d requests for a file that is gone", len(gone.requests))
	}
	status(http.StatusServiceUnavailable, 100).fails(t, "503")
	status(http.StatusServiceUnavailable, 3).arrives(t, "", "", "", "")
	status(http.StatusTooManyRequests, 1).arrives(t, "", "")
}

// TestOffline says in plain words what is wrong, at once.
func TestOffline(t *testing.T) {
	for address, want := range map[string]string{
		"http://no-such-host.invalid/net-00000000.pth": "no connection to the internet, or no name server: no-such-host.invalid is not found",
		"http://127.0.0.1:1/net-00000000.pth":          "no connection: dial tcp 127.0.0.1:1",
	} {
		s := Source{URL: address, SHA256: "00000000"}
		d := Download{Dir: t.TempDir(), Client: &http.Client{Transport: &http.Transport{}}}
		_, err := d.Fetch(t.Context(), &s)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "HTTPS_PROXY") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client
	s.StartTLS()
	defer s.Close()
	d := Download{Dir: t.TempDir(), Client: &http.Client{Transport: &http.Transport{}}}
	_, err := d.Fetch(t.Context(), &Source{URL: s.URL + "/net-00000000.pth", SHA256: "00000000"})
	if !errors.As(err, new(x509.UnknownAuthorityError)) || !strings.Contains(err.Error(), "certificate is not trusted") {
		t.Errorf("%v", err)
	}
}

// TestProxy: the request goes to the proxy.
func TestProxy(t *testing.T) {
	proxy := serve(t, nil)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	source := proxy.source
	source.URL = "http://weights.invalid/" + source.File()
	d := Download{Dir: t.TempDir(), Client: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}}
	if _, err := d.Fetch(t.Context(), &source); err != nil || len(proxy.requests) != 1 {
		t.Errorf("%v, %d requests", err, len(proxy.requests))
	}
	transport, ok := (&Download{}).client().Transport.(*http.Transport)
	if !ok || transport.Proxy == nil {
		t.Error("the default client knows no proxy")
	}
}

// TestInterrupt: the download ends when its context does and goes on another time.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:2000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	dir := t.TempDir()
	d := Download{Dir: dir, Progress: func(done, _ int64) {
		if done == 2000 {
			cancel()
		}
	}}
	if _, err := d.Fetch(ctx, &s.source); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := s.fetch(t, dir); err != nil || s.requests[1] != "bytes=2000-" {
		t.Errorf("%v after %q", err, s.requests)
	}
}

// TestFullFolder: a folder that cannot be written to is told at once.
func TestFullFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, nil)
	if _, err := s.fetch(t, filepath.Join(file, "folder")); err == nil || len(s.requests) > 0 {
		t.Errorf("%v after %d requests", err, len(s.requests))
	}
}

// TestUnknownSize: without a size the checksum decides, and a server cannot offer whatever it likes.
func TestUnknownSize(t *testing.T) {
	s := serve(t, nil)
	s.source.Bytes = 0
	s.arrives(t, "")
	s = serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(int64(largest)+1))
		return true
	})
	s.source.Bytes = 0
	s.fails(t, "less than")
}

// TestSources: names, architectures and addresses are consistent.
func TestSources(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Sources() {
		if seen[s.Name] || seen[s.File()] || !slices.Contains(Families(), s.Arch) || len(s.SHA256) != 8 || s.Bytes < 1<<20 && s.Bytes != 0 {
			t.Errorf("%+v", s)
		}
		seen[s.Name], seen[s.File()] = true, true
		if p := s.Preprocess; p.Resize != "crop" || p.Short < p.Size.W || p.Short > p.Size.W*6/5 || p.Mean == [3]float32{} {
			t.Errorf("%s: %+v", s.Name, p)
		}
		if found := FindSource(s.File()); found == nil || found.Name != s.Name {
			t.Errorf("%s is not found by its file", s.Name)
		}
	}
	onHubs := regexp.MustCompile(`^(convnextv2|mobilenetv4)_`) // in files whose names have no checksum
	for _, f := range families() {
		if arch := f.name; !f.isVit() && !onHubs.MatchString(arch) && FindSource(arch) == nil {
			t.Errorf("there are no weights for %s", arch)
		}
	}
	if FindSource("resnet18.v7") != nil {
		t.Error("a source that does not exist was found")
	}
}
