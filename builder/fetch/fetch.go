package fetch

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
)

// Verify reads a file to its end and returns an error if it is not the wanted one.
type Verify func(io.Reader) error

// Progress is called with the bytes received and the total, which is 0 if it is not
// known.
type Progress func(done, total int64)

// DefaultMaxSize is the size of the largest file that is downloaded, in bytes. The
// largest SRPM of a kernel has 0.2 GB, unpacked tarballs have 1.5 GB.
const DefaultMaxSize = 4 << 30

// Input describes a file to fetch. Exactly one of URL and File is set, and at
// least one of SHA256 and Verify.
type Input struct {
	// File is a path on this host.
	URL, File string
	// Mirrors are URLs of the same bytes, tried in this order after URL.
	Mirrors []string
	SHA256  string
	Verify  Verify
	// Waive, if set, is called with a file that SHA256 or Verify refused, and with
	// the reason. If it returns nil, the file is taken anyway, under its own digest.
	Waive func(file io.Reader, wrong error) error
	// MaxSize limits a download, in bytes. If it is 0, it is DefaultMaxSize. A file
	// that is larger is a *TooLargeError, and nothing of it stays.
	MaxSize int64
	// Offline forbids the network. If the store does not have the file, the error is
	// an *OfflineError.
	Offline bool
	// Warn, if set, is called with each failure after which Fetch goes on.
	Warn func(string)
}

func (in Input) warn(format string, args ...any) {
	if in.Warn != nil {
		in.Warn(fmt.Sprintf(format, args...))
	}
}

// Fetch returns the input, checked: a copy of a file of this host, a file of the
// store, or one that it downloads. The caller closes it. What a broken download received is kept, and the next
// Fetch continues it. An Input without SHA256 and Verify is an error.
func (s *Store) Fetch(ctx context.Context, in Input, progress Progress) (File, error) {
	if in.SHA256 == "" && in.Verify == nil {
		return File{}, fmt.Errorf("fetching %s%s: it has neither a sha256 nor a signature", in.URL, in.File)
	}
	if in.File != "" {
		f, err := s.checkFile(in.File, in)
		if err != nil {
			return File{}, fmt.Errorf("checking %s: %w", filepath.Base(in.File), err)
		}
		return f, nil
	}
	if f, ok := s.lookupInput(in); ok {
		return f, nil
	}
	if in.Offline {
		return File{}, &OfflineError{in.URL}
	}
	f, err := s.download(ctx, in, progress)
	if err != nil {
		return File{}, fmt.Errorf("fetching %w", err)
	}
	return f, s.Remember("url", in.URL, f.SHA256)
}

// lookupInput finds the input in the store, by its digest or by the digest that
// its URL had before. The file is checked again.
func (s *Store) lookupInput(in Input) (File, bool) {
	digests := []string{in.SHA256}
	if in.SHA256 == "" || in.Waive != nil {
		digests = append(digests, s.Recall("url", in.URL))
	}
	for _, digest := range digests {
		f, ok := s.Lookup(digest)
		if !ok {
			continue
		}
		if digest == in.SHA256 && in.Verify == nil {
			return f, true
		}
		f, err := in.check(f)
		if err == nil {
			return f, true
		}
		f.Close()
	}
	return File{}, false
}

// download tries the URLs in their order. Its error holds the failures of all.
func (s *Store) download(ctx context.Context, in Input, progress Progress) (File, error) {
	urls := append([]string{in.URL}, in.Mirrors...)
	var failed failures
	for i, url := range urls {
		f, err := s.fetchFrom(ctx, url, in, progress)
		if err == nil {
			s.dropParts(in.SHA256, urls)
			return f, nil
		}
		failed = append(failed, failure{url, err})
		if isFinal(ctx, err) {
			break
		}
		if i+1 < len(urls) {
			in.warn("%s: %v; trying %s", url, err, urls[i+1])
		}
	}
	return File{}, failed
}

// fetchFrom downloads the input from one URL. If a file is refused whose parts
// came in several responses, it is downloaded once more from the start.
func (s *Store) fetchFrom(ctx context.Context, url string, in Input, progress Progress) (File, error) {
	p, err := s.openPart(ctx, partName(in.SHA256, url), func() { in.warn("%s: another process is fetching it; waiting for that process", url) })
	if err != nil {
		return File{}, err
	}
	defer p.close()
	p.max = cmp.Or(in.MaxSize, DefaultMaxSize)
	if f, ok := s.lookupInput(in); ok { // the other process has fetched it
		return f, nil
	}
	for again := false; ; again = true {
		if err := s.fill(ctx, p, url, in, progress); err != nil {
			return File{}, err
		}
		f, err := digested(p.file)
		if err != nil {
			return File{}, diskError{err}
		}
		if f, err = in.check(f); err == nil {
			return s.addPart(p, f)
		}
		mixed := p.mixed
		if err := p.reset(); err != nil {
			return File{}, err
		}
		if again || !mixed {
			return File{}, err
		}
		in.warn("%s: %v; fetching it again from the start", url, err)
	}
}
