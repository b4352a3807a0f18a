package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"regraft/photo"
)

// store is a service that keeps buckets.
type store struct {
	core      minio.Core
	anonymous bool
	how       string // credentials are given
}

// store connects to the service of a scheme. Without credentials it asks as anybody may.
func (c *Client) store(scheme string) (*store, error) {
	if s := c.stores[scheme]; s != nil {
		return s, nil
	}
	endpoint, variables := "https://s3.amazonaws.com", []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}
	providers := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	how := "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
	if scheme == "gs" { // by keys for interoperability
		endpoint, variables = "https://storage.googleapis.com", []string{"GS_ENDPOINT_URL"}
		how = "GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY to an HMAC key"
		providers = []credentials.Provider{&credentials.Static{Value: credentials.Value{
			AccessKeyID: os.Getenv("GS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("GS_SECRET_ACCESS_KEY"), SignerType: credentials.SignatureV4,
		}}}
	} else {
		providers = append(providers, &credentials.IAM{Client: &http.Client{Timeout: time.Second}})
	}
	for _, v := range variables {
		if set := os.Getenv(v); set != "" {
			endpoint = set
			break
		}
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s must be an address such as https://minio.example.org:9000", variables[0])
	}
	found := credentials.New(&credentials.Chain{Providers: providers})
	who, err := found.GetWithContext(&credentials.CredContext{Client: http.DefaultClient})
	anonymous := err != nil || who.AccessKeyID == "" || who.SignerType.IsAnonymous()
	if anonymous { // else every request would look for them anew
		found = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: found, Secure: u.Scheme == "https", Region: cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")), Transport: c.http.Transport, MaxRetries: attempts,
	})
	if err != nil {
		return nil, err
	}
	s := &store{minio.Core{Client: client}, anonymous, how}
	c.stores[scheme] = s
	return s, nil
}

// objects lists one object, or those of a folder of a bucket. In their names nothing is escaped.
func (c *Client) objects(scheme, address string) ([]photo.File, []photo.LeftOut) {
	bucket, key, _ := strings.Cut(address[len(scheme)+len("://"):], "/")
	at := scheme + "://" + bucket + "/"
	refused := func(err error) []photo.File {
		return []photo.File{{Path: at + key, Err: fmt.Errorf("%s: %w", photo.Shown(at+key), err)}}
	}
	if strings.ContainsAny(bucket, "@:?#") {
		at, key = scheme+"://...", ""
		return refused(errors.New("a bucket is named without passwords and ports, which stand in variables")), nil
	}
	s, err := c.store(scheme)
	if err != nil {
		return refused(err), nil
	}
	if key != "" && !strings.HasSuffix(key, "/") {
		return []photo.File{{Path: at + key, Read: func() ([]byte, error) { return c.object(s, bucket, key) }}}, nil
	}
	var files []photo.File
	var leftOut []photo.LeftOut
	wait := 2 * attempts * c.stall // the library tries again, and pauses
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(wait, func() { cancel(fmt.Errorf("nothing came for %v", wait)) })
	defer watchdog.Stop()
	for o := range s.core.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, MaxKeys: 1000}) {
		watchdog.Reset(wait)
		if o.Err != nil && ctx.Err() == nil {
			return append(files, refused(bare(s.explained(o.Err)))...), leftOut
		} else if o.Err != nil {
			break
		}
		switch why := photo.ByName(o.Key); {
		case strings.HasSuffix(o.Key, "/"): // a folder that somebody has made
		case why != "":
			leftOut = append(leftOut, photo.LeftOut{Path: at + o.Key, Why: why})
		default:
			files = append(files, photo.File{Path: at + o.Key, Read: func() ([]byte, error) { return c.object(s, bucket, o.Key) }})
		}
	}
	switch {
	case ctx.Err() != nil: // the list may end anywhere, without an error
		files = append(files, refused(context.Cause(ctx))...)
	case len(files) == 0:
		files = refused(errors.New("no photos are there"))
	}
	return files, leftOut
}

// object is the content of an object.
func (c *Client) object(s *store, bucket, key string) ([]byte, error) {
	return c.tried(func(ctx context.Context) (io.ReadCloser, int64, error) {
		body, info, _, err := s.core.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
		if err != nil {
			return nil, 0, permanent{bare(s.explained(err))} // the library has tried again
		}
		return body, info.Size, nil
	})
}

// explained is what an error of the protocol means for who asked.
func (s *store) explained(err error) error {
	e := minio.ToErrorResponse(err)
	switch {
	case e.Code == minio.NoSuchBucket:
		return errors.New("there is no such bucket")
	case e.Code == minio.NoSuchKey:
		return errors.New("there is no such object (a folder ends in /)")
	case e.StatusCode == http.StatusForbidden && s.anonymous:
		return fmt.Errorf("access is denied, and no credentials were found: set %s", s.how)
	case e.StatusCode == http.StatusForbidden:
		return fmt.Errorf("access is denied (%s)", e.Code)
	case e.StatusCode != 0:
		return fmt.Errorf("the server answers %d %s", e.StatusCode, e.Code)
	}
	return err
}
