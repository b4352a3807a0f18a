package remote

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// TestSlowPhotos: a server may take longer for a photo than it may be silent.
func TestSlowPhotos(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, letter := range "photo" {
			fmt.Fprintf(w, "%c", letter)
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
		}
	}))
	defer server.Close()
	if _, err := one(t, newClient(t.Context(), 200*time.Millisecond, time.Millisecond), server.URL+"/a.jpg"); err != nil {
		t.Error(err)
	}
}

// TestStores: each scheme has its service, its variables and its credentials; a service is looked for once.
func TestStores(t *testing.T) {
	for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "GS_ACCESS_KEY_ID", "GS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "GS_ENDPOINT_URL"} {
		t.Setenv(v, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, c := range []struct {
		scheme   string
		set      map[string]string
		endpoint string // "" for a refusal
		known    bool   // who asks
	}{
		{"s3", nil, "https://s3.amazonaws.com", false},
		{"gs", nil, "https://storage.googleapis.com", false},
		{"s3", map[string]string{"AWS_ENDPOINT_URL": "http://general:9000"}, "http://general:9000", false},
		{"s3", map[string]string{"AWS_ENDPOINT_URL": "http://general:9000", "AWS_ENDPOINT_URL_S3": "https://own:9001"}, "https://own:9001", false},
		{"gs", map[string]string{"AWS_ENDPOINT_URL": "http://general:9000", "GS_ENDPOINT_URL": "http://own"}, "http://own", false},
		{"s3", map[string]string{"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret", "GS_ACCESS_KEY_ID": ""}, "https://s3.amazonaws.com", true},
		{"gs", map[string]string{"GS_ACCESS_KEY_ID": "me", "GS_SECRET_ACCESS_KEY": "secret"}, "https://storage.googleapis.com", true},
		{"s3", map[string]string{"AWS_ENDPOINT_URL_S3": "own:9000"}, "", false},
		{"s3", map[string]string{"AWS_ENDPOINT_URL_S3": "http://"}, "", false},
		{"s3", map[string]string{"AWS_ENDPOINT_URL_S3": "http://me:secret@own"}, "", false},
		{"s3", map[string]string{"AWS_ENDPOINT_URL_S3": "ftp://own"}, "", false},
		{"s3", map[string]string{"AWS_ENDPOINT_URL_S3": "http://own\n"}, "", false},
		{"gs", map[string]string{"GS_ENDPOINT_URL": "ftp://own"}, "", false},
	} {
		t.Run(fmt.Sprint(c.scheme, c.set), func(t *testing.T) {
			for name, value := range c.set {
				t.Setenv(name, value)
			}
			client := client(t)
			s, err := client.store(c.scheme)
			if c.endpoint == "" {
				variable := map[string]string{"s3": "AWS_ENDPOINT_URL_S3", "gs": "GS_ENDPOINT_URL"}[c.scheme]
				if err == nil || !strings.HasPrefix(err.Error(), variable+" must be an address") || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || s.core.EndpointURL().String() != c.endpoint || s.anonymous == c.known {
				t.Errorf("%v, %+v", err, s)
			}
			if again, _ := client.store(c.scheme); again != s {
				t.Error("it is looked for anew")
			}
		})
	}
}

// TestExplained: what a service refuses is said with what helps, and never with what it wrote.
func TestExplained(t *testing.T) {
	other := errors.New("no route to host")
	for _, c := range []struct {
		err       error
		anonymous bool
		want      string
	}{
		{minio.ErrorResponse{Code: minio.NoSuchBucket, StatusCode: 404, Message: "secret"}, false, "there is no such bucket"},
		{minio.ErrorResponse{Code: minio.NoSuchKey, StatusCode: 404, Message: "secret"}, false, "there is no such object (a folder ends in /)"},
		{minio.ErrorResponse{Code: minio.AccessDenied, StatusCode: 403, Message: "secret"}, false, "access is denied (AccessDenied)"},
		{minio.ErrorResponse{Code: minio.AccessDenied, StatusCode: 403, Message: "secret"}, true, "access is denied, and no credentials were found: set KEYS"},
		{minio.ErrorResponse{Code: "SlowDown", StatusCode: 503, Message: "secret"}, true, "the server answers 503 SlowDown"},
		{other, true, "no route to host"},
	} {
		s := &store{anonymous: c.anonymous, how: "KEYS"}
		if got := s.explained(c.err).Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for input, want := range map[string]bool{"http://x": true, "HTTPS://x": true, "s3://b": true, "gs://b": true, "ftp://x": false, "x": false, "s3:/b": false, "://": false} {
		if Is(input) != want {
			t.Errorf("%s is read by this package: %v", input, !want)
		}
	}
}
