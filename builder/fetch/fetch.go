package fetch

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
)

// Judge looks at a whole file and says what is wrong with it.
type Judge func(io.Reader) error

// Progress is told the bytes that came and the bytes expected (0: not known).
type Progress func(done, total int64)

// Input is what is asked for: exactly one of URL and File is set. A digest or
// a Judge has to vouch for it.
type Input struct {
	URL, File string
	// Mirrors are URLs of the same bytes, tried in their order after URL.
	Mirrors []string
	SHA256  string
	Judge   Judge
	// Waive, if set, is asked about a file that SHA256 or Judge refused: with
	// nil it is taken all the same, under the digest that it has.
	Waive func(file io.Reader, wrong error) error
	// Offline forbids the network: what is not in the store is an *OfflineError.
	Offline bool
	// Warn, if set, is told each failure that is not the last word.
	Warn func(string)
}

func (in Input) warn(format string, args ...any) {
	if in.Warn != nil {
		in.Warn(fmt.Sprintf(format, args...))
	}
}

// Fetch gives the input, checked: from where it lies, from the store, or from
// the network. What came before a download broke off is kept, and the next
// Fetch goes on there. It errs when nothing vouches for the input.
func (s *Store) Fetch(ctx context.Context, in Input, progress Progress) (File, error) {
	if in.SHA256 == "" && in.Judge == nil {
		return File{}, fmt.Errorf("fetching %s%s: neither a sha256 nor a signature vouches for it", in.URL, in.File)
	}
	if in.File != "" {
		f, err := in.check(in.File)
		if err != nil {
			return File{}, fmt.Errorf("checking %s: %w", filepath.Base(in.File), err)
		}
		return f, nil
	}
	if f, ok := s.known(in); ok {
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

// known finds the input in the store: by its digest, or by the digest its URL
// had when something else vouched for it; that is asked again.
func (s *Store) known(in Input) (File, bool) {
	digests := []string{in.SHA256}
	if in.SHA256 == "" || in.Waive != nil {
		digests = append(digests, s.Recall("url", in.URL))
	}
	for _, digest := range digests {
		f, ok := s.Held(digest)
		if !ok {
			continue
		}
		if digest == in.SHA256 && in.Judge == nil {
			return f, true
		}
		if f, err := in.check(f.Path); err == nil {
			f.Cached = true
			return f, true
		}
	}
	return File{}, false
}

// download asks the URLs in their order. The error holds the failures of all.
func (s *Store) download(ctx context.Context, in Input, progress Progress) (File, error) {
	urls := append([]string{in.URL}, in.Mirrors...)
	var failed failures
	for i, url := range urls {
		f, err := s.from(ctx, url, in, progress)
		if err == nil {
			s.dropParts(in.SHA256, urls)
			return f, nil
		}
		failed = append(failed, failure{url, err})
		if hopeless(ctx, err) {
			break
		}
		if i+1 < len(urls) {
			in.warn("%s: %v; trying %s", url, err, urls[i+1])
		}
	}
	return File{}, failed
}

// from brings the input from one URL. A file that was put together of several
// answers and is refused is fetched once more from the start.
func (s *Store) from(ctx context.Context, url string, in Input, progress Progress) (File, error) {
	p, err := s.openPart(ctx, partName(in.SHA256, url), func() { in.warn("%s: another process is fetching it; waiting for that", url) })
	if err != nil {
		return File{}, err
	}
	defer p.close()
	if f, ok := s.known(in); ok { // the other process brought it
		return f, nil
	}
	for anew := false; ; anew = true {
		if err := s.fill(ctx, p, url, in, progress); err != nil {
			return File{}, err
		}
		f, err := in.check(p.path)
		if err == nil {
			return s.keep(p, f)
		}
		mixed := p.mixed
		if err := p.reset(); err != nil {
			return File{}, err
		}
		if anew || !mixed {
			return File{}, err
		}
		in.warn("%s: %v; fetching it again from the start", url, err)
	}
}
