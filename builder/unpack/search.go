package unpack

import "bufio"

// windowSize is how much of a stream is searched at once. It is also how far a
// trial may read before it can no longer go back to where it began.
const windowSize = 1 << 18

// next moves b to where compressed data begins, or to the end of the stream if
// there is none, and returns how many bytes it skipped.
func next(b *bufio.Reader) (skipped int64, found bool) {
	for {
		data, err := b.Peek(b.Size())
		last := err != nil
		end := len(data)
		if !last {
			end -= HeaderSize // a header that begins there is seen in the next window
		}
		at, found := first(data, end)
		n, _ := b.Discard(at)
		skipped += int64(n)
		if found || last {
			return skipped, found
		}
	}
}

// first returns where the first compressed data in data begins, if that is
// before end, and end otherwise.
func first(data []byte, end int) (int, bool) {
	found := end
	for _, f := range formats {
		found = f.index(data, found)
	}
	return found, found < end
}
