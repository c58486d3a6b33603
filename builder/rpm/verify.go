package rpm

import (
	"bufio"
	"fmt"
	"io"
)

// Verify reads a whole package and checks the form of its signature header,
// every digest and size that the package carries, and that r ends where the
// package ends. A nil error means that digests cover header and payload and
// that all of them are right. It does not mean that anybody signed them. A
// package without a digest of its header or of its payload is an error.
//
// r is read once. The memory needed is that of the headers and of the
// compressor's window, which is at most 128 MiB.
func Verify(r io.Reader) (*Package, error) {
	return VerifyTo(r, func(*Package) (Taps, error) { return Taps{}, nil })
}

// Taps get a payload while it is verified. A nil writer gets nothing.
type Taps struct {
	// Payload gets the bytes as they are stored, Content gets them decompressed.
	Payload, Content io.Writer
}

// VerifyTo is Verify for callers that need the payload in the same read: open is
// called when the headers are known and their digests are right, and returns
// where the payload goes. What a tap got counts only if the error is nil. An error of
// open is returned as it is.
func VerifyTo(r io.Reader, open func(*Package) (Taps, error)) (*Package, error) {
	p, err := ReadPackage(r)
	if err != nil {
		return nil, err
	}
	var openErr error
	err = p.verify(r, func(p *Package) (taps Taps, err error) {
		taps, openErr = open(p)
		return taps, openErr
	})
	switch {
	case openErr != nil:
		return nil, openErr
	case err != nil:
		return nil, fmt.Errorf("verifying package: %w", err)
	}
	return p, nil
}

// verify reads the payload from r and checks everything.
func (p *Package) verify(r io.Reader, open func(*Package) (Taps, error)) error {
	if err := checkSignatureHeader(p.Signature); err != nil {
		return fmt.Errorf("signature header: %w", err)
	}
	c, err := newChecks(p)
	if err != nil {
		return err
	}
	if err := compare(c.header); err != nil {
		return err
	}
	if c.taps, err = open(p); err != nil {
		return err
	}
	to := writers(c.stored)
	if c.taps.Payload != nil {
		to = append(to, c.taps.Payload)
	}
	return c.readPayload(&payloadSource{r: r, to: io.MultiWriter(to...), sized: c.sized, left: c.size - c.offset})
}

// readPayload reads the payload to its end and checks it.
func (c *checks) readPayload(source *payloadSource) error {
	var plainErr error
	if len(c.plain) > 0 || len(c.plainSize) > 0 || c.taps.Content != nil {
		plainErr = c.readPlain(source)
	}
	_, err := io.Copy(io.Discard, source)
	switch {
	case err != nil:
		return fmt.Errorf("reading payload: %w", err)
	case source.surplus:
		return fmt.Errorf("trailing bytes: the package ends after %d", c.size)
	case source.sized && source.left > 0:
		return fmt.Errorf("truncated: %d of %d bytes", c.size-source.left, c.size)
	}
	if err := compare(c.stored); err != nil {
		return err
	}
	if plainErr != nil {
		return fmt.Errorf("reading payload: %w", plainErr)
	}
	return compare(c.plain)
}

// readPlain decompresses the payload and hashes its content. Where the size is
// known, it reads at most one byte more.
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
	to := writers(c.plain)
	if c.taps.Content != nil {
		to = append(to, c.taps.Content)
	}
	n, err := io.Copy(io.MultiWriter(to...), content)
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

// payloadSource reads the payload and writes what was read to its hashes. If the
// size is known, it stops there and notes whether more bytes follow. Its first
// error is also its last.
type payloadSource struct {
	r       io.Reader
	to      io.Writer
	sized   bool
	left    int64 // if sized
	surplus bool
	err     error
}

func (s *payloadSource) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.sized && s.left == 0 {
		n, err := io.ReadFull(s.r, make([]byte, 1))
		s.surplus, s.err = n > 0, io.EOF
		if n == 0 && err != io.EOF {
			s.err = err
		}
		return 0, s.err
	}
	if s.sized {
		b = b[:min(int64(len(b)), s.left)]
	}
	n, err := s.r.Read(b)
	s.left -= int64(n)
	if _, werr := s.to.Write(b[:n]); werr != nil {
		err = werr
	}
	if err != nil {
		s.err = err
	}
	return n, err
}
