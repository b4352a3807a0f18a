package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regraft/photo"
)

func client(t *testing.T) *Client {
	t.Helper()
	return newClient(t.Context(), 300*time.Millisecond, time.Millisecond)
}

// one is the only photo at an address.
func one(t *testing.T, c *Client, address string) (photo.File, error) {
	t.Helper()
	files, _ := c.Files(address)
	if len(files) != 1 {
		t.Fatalf("%s: %d files", address, len(files))
	}
	f := files[0]
	if f.Err != nil {
		return f, f.Err
	}
	data, err := f.Read()
	if err == nil && string(data) != "photo" {
		t.Errorf("%s: %q", address, data)
	}
	return f, err
}

// TestPages: a photo is what the server sends; whatever it does instead is an error of this photo, and tried again where that may help.
func TestPages(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		switch r.URL.Path {
		case "/a.jpg":
			fmt.Fprint(w, "photo")
		case "/user.jpg":
			if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
				w.WriteHeader(http.StatusUnauthorized)
			}
			fmt.Fprint(w, "photo")
		case "/moved.jpg":
			http.Redirect(w, r, "/b.jpg", http.StatusFound)
		case "/b.jpg":
			if _, _, user := r.BasicAuth(); user || r.Referer() != "" {
				w.WriteHeader(http.StatusBadRequest)
			}
			fmt.Fprint(w, "photo")
		case "/loop.jpg":
			http.Redirect(w, r, "/loop.jpg", http.StatusFound)
		case "/busy.jpg":
			if n < attempts {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			fmt.Fprint(w, "photo")
		case "/broken.jpg":
			w.WriteHeader(http.StatusInternalServerError)
		case "/short.jpg":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "photo")
		case "/slow.jpg", "/stalls.jpg":
			if r.URL.Path == "/stalls.jpg" {
				fmt.Fprint(w, "ph")
				w.(http.Flusher).Flush()
			}
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		case "/huge.jpg":
			w.Header().Set("Content-Length", fmt.Sprint(5<<30))
			w.Write(make([]byte, 1000))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	with := strings.Replace(server.URL, "://", "://me:secret@", 1)
	for _, c := range []struct {
		address, path, says string
		times               int32
	}{
		{server.URL + "/a.jpg", server.URL + "/a.jpg", "", 1},
		{server.URL + "/moved.jpg?sig=secret", server.URL + "/moved.jpg?sig=...", "", 2},
		{with + "/user.jpg?X-Amz-Signature=secret&id=7#secret", server.URL + "/user.jpg?X-Amz-Signature=...&id=7", "", 1},
		{with + "/gone.jpg?sig=secret", server.URL + "/gone.jpg?sig=...", "404 Not Found", 1},
		{server.URL + "/user.jpg", server.URL + "/user.jpg", "401 Unauthorized", 1},
		{server.URL + "/busy.jpg", server.URL + "/busy.jpg", "", attempts},
		{with + "/broken.jpg", server.URL + "/broken.jpg", "given up after 3 attempts: the server answers 500", attempts},
		{with + "/short.jpg?token=secret", server.URL + "/short.jpg?token=...", "unexpected EOF", attempts},
		{with + "/slow.jpg", server.URL + "/slow.jpg", "given up after 3 attempts", attempts},
		{with + "/stalls.jpg", server.URL + "/stalls.jpg", "nothing came for 300ms", attempts},
		{with + "/huge.jpg", server.URL + "/huge.jpg", "5368709120 bytes are more than the limit", 1},
		{with + "/loop.jpg?key=secret", server.URL + "/loop.jpg?key=...", "ten times", 10},
		{"http://me:secret@127.0.0.1:1/a.jpg", "http://127.0.0.1:1/a.jpg", "given up after 3 attempts", 0},
		{"http://me:secret@ho st/a.jpg", "http://...", "not an address", 0},
		{"https://", "https://...", "not an address", 0},
	} {
		asked.Store(0)
		f, err := one(t, client(t), c.address)
		if f.Path != c.path || strings.Contains(f.Path+fmt.Sprint(err), "secret") {
			t.Errorf("%s: path %q, %v", c.address, f.Path, err)
		}
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.address, err, c.says)
		}
		if n := asked.Load(); c.times > 0 && n != c.times {
			t.Errorf("%s: asked %d times, want %d", c.address, n, c.times)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := one(t, newClient(ctx, time.Minute, time.Minute), server.URL+"/slow.jpg"); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

// bucket speaks as much of S3's protocol as reading needs.
func bucket(t *testing.T, objects map[string]string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(status int, code string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>secret</Message></Error>`, code)
		}
		name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		content, found := objects[key]
		switch q := r.URL.Query(); {
		case name == "closed":
			refuse(http.StatusForbidden, "AccessDenied")
		case name == "stalls":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case name == "busy":
			refuse(http.StatusServiceUnavailable, "SlowDown")
		case name != "photos":
			refuse(http.StatusNotFound, "NoSuchBucket")
		case q.Has("location"):
			fmt.Fprint(w, `<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
		case q.Get("list-type") == "2":
			fmt.Fprintf(w, `<?xml version="1.0"?><ListBucketResult><Name>photos</Name><IsTruncated>false</IsTruncated>`)
			for _, k := range []string{"a.jpg", "in/", "in/.hidden.jpg", "in/b c.jpg", "in/film.mp4", "in/huge.jpg"} {
				if strings.HasPrefix(k, q.Get("prefix")) {
					fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>5</Size></Contents>`, k)
				}
			}
			fmt.Fprint(w, `</ListBucketResult>`)
		case !found:
			refuse(http.StatusNotFound, "NoSuchKey")
		default:
			w.Header().Set("Last-Modified", "Sat, 28 Nov 2026 12:00:00 GMT")
			w.Header().Set("ETag", `"1"`)
			if content == "huge" {
				w.Header().Set("Content-Length", fmt.Sprint(5<<30))
			}
			fmt.Fprint(w, content)
		}
	}))
}

// TestBuckets: objects are read as anybody may, folders are listed, and what a bucket refuses is an error with its reason.
func TestBuckets(t *testing.T) {
	server := bucket(t, map[string]string{"a.jpg": "photo", "in/b c.jpg": "photo", "in/huge.jpg": "huge"})
	defer server.Close()
	for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "GS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"} {
		t.Setenv(v, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ENDPOINT_URL_S3", server.URL)
	t.Setenv("GS_ENDPOINT_URL", server.URL)
	for _, scheme := range []string{"s3", "gs"} {
		c := newClient(t.Context(), 10*time.Second, time.Millisecond) // the library pauses between its attempts
		if f, err := one(t, c, scheme+"://photos/a.jpg"); err != nil || f.Path != scheme+"://photos/a.jpg" {
			t.Errorf("%s, %v", f.Path, err)
		}
		files, leftOut := c.Files(scheme + "://photos/in/")
		var said []string
		for _, f := range files {
			_, err := f.Read()
			said = append(said, f.Path+fmt.Sprintf(" %v", err))
		}
		want := []string{scheme + "://photos/in/b c.jpg <nil>", scheme + "://photos/in/huge.jpg 5368709120 bytes are more than the limit of 268435456"}
		if strings.Join(said, "|") != strings.Join(want, "|") || len(leftOut) != 2 {
			t.Errorf("%q, left out %v", said, leftOut)
		}
		for address, says := range map[string]string{
			"photos/b.jpg": "no such object", "other/a.jpg": "no such bucket", "other/": "no such bucket", "closed/a.jpg": "no credentials were found",
			"closed": "no credentials were found", "busy/a.jpg": "503 SlowDown", "photos/none/": "no photos are there", "me:secret@photos/a.jpg": "without passwords",
			"UP/a.jpg": "", "photos/../a.jpg": "",
		} {
			f, err := one(t, c, scheme+"://"+address)
			if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(f.Path+err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want %q", address, err, says)
			}
		}
	}
}

// TestListEnds: a list of objects that does not come to its end is an error, not a shorter list.
func TestListEnds(t *testing.T) {
	server := bucket(t, nil)
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "me")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_ENDPOINT_URL_S3", server.URL)
	stall, began := 50*time.Millisecond, time.Now()
	if _, err := one(t, newClient(t.Context(), stall, stall), "s3://stalls/in/"); err == nil || !strings.Contains(err.Error(), "nothing came for 300ms") || time.Since(began) > 20*time.Second {
		t.Errorf("%v, after %v", err, time.Since(began))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, address := range []string{"s3://photos/", "s3://photos/in/"} {
		files, _ := newClient(ctx, stall, stall).Files(address)
		if last := files[len(files)-1]; !errors.Is(last.Err, context.Canceled) {
			t.Errorf("%s: %v", address, last.Err)
		}
	}
}
