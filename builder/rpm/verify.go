package rpm

import (
	"bufio"
	"fmt"
	"io"
)

// Verify reads a whole package and checks the form of its signature header,
// every digest and size that the package carries, and that r ends where the
// package ends. A nil error means that digests cover header and payload and
// that all of them are right; it says nothing of who made them. A package
// without a digest of its header or of its payload is an error.
//
// Memory is that of the headers and of the compressor's window (at most 128
// MiB); r is read once.
func Verify(r io.Reader) (*Package, error) {
	p, err := ReadPackage(r)
	if err != nil {
		return nil, err
	}
	if err := p.verify(r, nil); err != nil {
		return nil, fmt.Errorf("verifying package: %w", err)
	}
	return p, nil
}

// verify checks everything; the payload's bytes are also written to also.
func (p *Package) verify(r io.Reader, also []io.Writer) error {
	if err := checkSignatureHeader(p.Signature); err != nil {
		return fmt.Errorf("signature header: %w", err)
	}
	c, err := newChecks(p)
	if err != nil {
		return err
	}
	if err := judge(c.header); err != nil {
		return err
	}
	source := &payloadSource{r: r, hashes: io.MultiWriter(append(writers(c.stored), also...)...), known: c.sized, left: c.size - c.offset}
	return c.readPayload(source)
}

// readPayload reads the payload to its end and judges it.
func (c *checks) readPayload(source *payloadSource) error {
	var plainErr error
	if len(c.plain) > 0 || len(c.plainSize) > 0 {
		plainErr = c.readPlain(source)
	}
	_, err := io.Copy(io.Discard, source)
	switch {
	case err != nil:
		return fmt.Errorf("reading payload: %w", err)
	case source.surplus:
		return fmt.Errorf("trailing bytes: the package ends after %d", c.size)
	case source.known && source.left > 0:
		return fmt.Errorf("truncated: %d of %d bytes", c.size-source.left, c.size)
	}
	if err := judge(c.stored); err != nil {
		return err
	}
	if plainErr != nil {
		return fmt.Errorf("reading payload: %w", plainErr)
	}
	return judge(c.plain)
}

// readPlain decompresses the payload for the digests and sizes of its content.
// It reads no further than a byte beyond the size it knows.
func (c *checks) readPlain(source io.Reader) error {
	plain, err := decompress(bufio.NewReaderSize(source, 1<<16))
	if err != nil {
		return err
	}
	defer plain.Close()
	var content io.Reader = plain
	for _, want := range c.plainSize {
		content = io.LimitReader(content, want+1)
	}
	n, err := io.Copy(io.MultiWriter(writers(c.plain)...), content)
	if err != nil {
		return err
	}
	for _, want := range c.plainSize {
		switch {
		case n > want:
			return fmt.Errorf("more than the %d bytes it should decompress to", want)
		case n < want:
			return fmt.Errorf("decompressed to %d bytes, want %d", n, want)
		}
	}
	return nil
}

// payloadSource hands out the payload and hashes what it hands out. Where the
// size is known it stops there and notes whether more would have come. Its
// error stays.
type payloadSource struct {
	r       io.Reader
	hashes  io.Writer
	known   bool
	left    int64
	surplus bool
	err     error
}

func (s *payloadSource) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.known && s.left == 0 {
		n, err := io.ReadFull(s.r, make([]byte, 1))
		s.surplus, s.err = n > 0, io.EOF
		if n == 0 && err != io.EOF {
			s.err = err
		}
		return 0, s.err
	}
	if s.known {
		b = b[:min(int64(len(b)), s.left)]
	}
	n, err := s.r.Read(b)
	s.left -= int64(n)
	s.hashes.Write(b[:n]) // hashes return no error
	if err != nil {
		s.err = err
	}
	return n, err
}
