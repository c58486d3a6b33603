package rpm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// replace puts values in the place of those with the same tag.
func replace(values []rpm.Value, with ...rpm.Value) []rpm.Value {
	for _, w := range with {
		values = slices.DeleteFunc(values, func(v rpm.Value) bool { return v.Tag() == w.Tag() })
	}
	return append(values, with...)
}

// resign builds p and gives its signature header other values. The lead, the
// header and the payload stay.
func resign(t testing.TB, data []byte, change func([]rpm.Value) []rpm.Value) []byte {
	t.Helper()
	p := parse(t, data)
	payload := data[p.PayloadOffset:]
	s, err := rpm.MakeHeader(rpm.RegionSignatures, change(p.Signature.Values())...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := (&rpm.Package{Lead: p.Lead, Signature: s, Header: p.Header}).WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), payload...)
}

func with(values ...rpm.Value) func([]rpm.Value) []rpm.Value {
	return func(list []rpm.Value) []rpm.Value { return replace(list, values...) }
}

func without(tags ...rpm.Tag) func([]rpm.Value) []rpm.Value {
	return func(list []rpm.Value) []rpm.Value {
		return slices.DeleteFunc(list, func(v rpm.Value) bool { return slices.Contains(tags, v.Tag()) })
	}
}

// header returns binary with a changed header.
func header(change func([]rpm.Value) []rpm.Value) []byte {
	p := binary
	p.Change = change
	return rpmtest.Build(p)
}

func TestVerifySays(t *testing.T) {
	good := rpmtest.Build(binary)
	p := parse(t, good)
	legacy := binary
	legacy.Legacy = true
	old := rpmtest.Build(legacy)
	zeros := strings.Repeat("0", 64)
	sum := sha256.Sum256(good[p.PayloadOffset:])
	payload := hex.EncodeToString(sum[:])
	for _, c := range []struct {
		name string
		data []byte
		want string // start of the error
	}{
		{"truncated", good[:len(good)-10], "verifying package: truncated: " + itoa(len(good)-10) + " of " + itoa(len(good)) + " bytes"},
		{"no payload", good[:p.PayloadOffset], "verifying package: truncated: " + itoa(int(p.PayloadOffset)) + " of "},
		{"trailing", append(bytes.Clone(good), 'x'), "verifying package: trailing bytes: the package ends after " + itoa(len(good))},
		{"payload", flip(good, len(good)-1), "verifying package: header and payload md5 got "},
		{"payload, no md5", flip(resign(t, good, without(rpm.SigTagMD5)), -1), "verifying package: payload sha256 got "},
		{"header", flip(good, int(p.PayloadOffset)-200), "verifying package: header sha1 got "},
		{"sha1", resign(t, good, with(rpm.StringValue(rpm.SigTagSHA1, zeros[:40]))), "verifying package: header sha1 got "},
		{"upper case sha1", resign(t, good, with(rpm.StringValue(rpm.SigTagSHA1, strings.ToUpper(p.Signature.String(rpm.SigTagSHA1))))), "verifying package: signature header: tag 269: \""},
		{"sha256", resign(t, good, with(rpm.StringValue(rpm.SigTagSHA256, zeros))), "verifying package: header sha256 got "},
		{"short sha256", resign(t, good, with(rpm.StringValue(rpm.SigTagSHA256, "12"))), `verifying package: signature header: tag 273: "12" is not a sha256`},
		{"md5", resign(t, good, with(rpm.BytesValue(rpm.SigTagMD5, make([]byte, 16)))), "verifying package: header and payload md5 got "},
		{"short md5", resign(t, good, with(rpm.BytesValue(rpm.SigTagMD5, make([]byte, 15)))), "verifying package: signature header: tag 1004: type 7, count 15, want 7, 16"},
		{"size too large", resign(t, good, with(rpm.Int32Value(rpm.SigTagSize, uint32(len(good))))), "verifying package: truncated: "},
		{"size too small", resign(t, good, with(rpm.Int32Value(rpm.SigTagSize, uint32(p.Header.Size()+1)))), "verifying package: trailing bytes: "},
		{"size less than the header", resign(t, good, with(rpm.Int32Value(rpm.SigTagSize, 7))), "verifying package: size of header and payload got 7, the header alone has "},
		{"two sizes", resign(t, good, with(rpm.Int64Value(rpm.SigTagLongSize, 1<<40))), "verifying package: size of header and payload is both "},
		{"long size out of range", resign(t, good, func(v []rpm.Value) []rpm.Value {
			return replace(without(rpm.SigTagSize)(v), rpm.Int64Value(rpm.SigTagLongSize, 1<<63-1))
		}), "verifying package: size of header and payload 9223372036854775807 is out of range"},
		{"payload size", resign(t, good, with(rpm.Int32Value(rpm.SigTagPayloadSize, 80700))), "verifying package: reading payload: more than the 80700 bytes it should decompress to"},
		{"payload size too large", resign(t, good, with(rpm.Int32Value(rpm.SigTagPayloadSize, 80900))), "verifying package: reading payload: decompressed to 80772 bytes, want 80900"},
		{"long payload size out of range", resign(t, good, func(v []rpm.Value) []rpm.Value {
			return replace(without(rpm.SigTagPayloadSize)(v), rpm.Int64Value(rpm.SigTagLongPayloadSize, 1<<63))
		}), "verifying package: payload size 9223372036854775808 is out of range"},
		{"archive size", header(with(rpm.Int32Value(rpm.TagArchiveSize, 5))), "verifying package: payload size is both 80772 and 5"},
		{"payload digest", header(with(rpm.StringsValue(rpm.TagPayloadDigest, zeros))), "verifying package: payload sha256 got " + payload + ", want " + zeros},
		{"uncompressed payload digest", header(with(rpm.StringsValue(rpm.TagPayloadDigestAlt, zeros))), "verifying package: uncompressed payload sha256 got "},
		{"no payload digest", header(with(rpm.StringsValue(rpm.TagPayloadDigest, "x\x1b[0m"))), `verifying package: tag 5092: "x\x1b[0m" is not a sha256`},
		{"payload digest algorithm", header(with(rpm.Int32Value(rpm.TagPayloadDigestAlgo, 7))), "verifying package: tag 5092: unknown digest algorithm 7"},
		{"reserved space", resign(t, good, with(rpm.BytesValue(rpm.SigTagReservedSpace, []byte{0, 1}))), "verifying package: signature header: tag 1008: reserved space is not empty"},
		{"unknown tag", resign(t, good, with(rpm.BytesValue(1003, []byte{1}))), "verifying package: signature header: tag 1003: unknown"},
		{"no signature", resign(t, good, with(rpm.BytesValue(rpm.SigTagRSA, []byte{1}))), "verifying package: signature header: tag 268: signature packet is cut off"},
		{"no digest", resign(t, good, without(rpm.SigTagMD5, rpm.SigTagSHA1, rpm.SigTagSHA256)), "verifying package: the package carries no digest"},
		{"no digest of the payload", resign(t, old, without(rpm.SigTagMD5)), "verifying package: the package carries no digest of its payload"},
		{"no payload at all", resign(t, header(func(v []rpm.Value) []rpm.Value {
			return replace(v, rpm.StringsValue(rpm.TagPayloadDigest, payload))
		})[:p.PayloadOffset], func(v []rpm.Value) []rpm.Value { return v }), "verifying package: truncated"},
	} {
		_, err := rpm.Verify(bytes.NewReader(c.data))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got  %v\nwant %s…", c.name, err, c.want)
		}
	}
}

// flip flips a bit of byte i, which counts from the end if it is negative.
func flip(data []byte, i int) []byte {
	data = bytes.Clone(data)
	data[(i+len(data))%len(data)] ^= 4
	return data
}

func itoa(n int) string { return strconv.Itoa(n) }

// Fewer digests are enough if they cover header and payload.
func TestVerifyEnough(t *testing.T) {
	good := rpmtest.Build(binary)
	for name, drop := range map[string][]rpm.Tag{
		"only md5":         {rpm.SigTagSHA1, rpm.SigTagSHA256},
		"only sha1":        {rpm.SigTagMD5, rpm.SigTagSHA256},
		"only sha256":      {rpm.SigTagMD5, rpm.SigTagSHA1},
		"no sizes":         {rpm.SigTagSize, rpm.SigTagPayloadSize},
		"no sizes, sha256": {rpm.SigTagSize, rpm.SigTagPayloadSize, rpm.SigTagMD5, rpm.SigTagSHA1},
	} {
		data := resign(t, good, without(drop...))
		if _, err := rpm.Verify(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := rpm.Verify(bytes.NewReader(append(data, 0))); err == nil {
			t.Errorf("%s: no error with a trailing byte", name)
		}
		if _, err := rpm.Verify(bytes.NewReader(data[:len(data)-1])); err == nil {
			t.Errorf("%s: no error with a missing byte", name)
		}
	}
}

// Every flipped bit after the lead is an error. The headers do not depend on the
// compressor, so their bits are tried with the fast ones. With a slow one, one bit of
// every byte of the payload is tried.
func TestVerifyFlippedBits(t *testing.T) {
	for _, small := range []rpmtest.Package{
		{Name: "a", Version: "1", Release: "1", Files: []rpmtest.File{{Path: "/a", Content: "abc"}}},
		{Name: "a", Version: "1", Release: "1", Source: true, Files: source.Files[:1]},
	} {
		for name, v := range variants(t, small) {
			data := rpmtest.Build(v)
			first, step := 96, 1
			if v.Payload != "none" && v.Payload != "gzip" {
				first, step = int(parse(t, data).PayloadOffset), 9
			}
			for i := first * 8; i < len(data)*8; i += step {
				data[i/8] ^= 1 << (i % 8)
				if _, err := rpm.Verify(bytes.NewReader(data)); err == nil {
					t.Errorf("%s: bit %d of byte %d of %d: no error", name, i%8, i/8, len(data))
				}
				data[i/8] ^= 1 << (i % 8)
			}
		}
	}
}

// A package that is cut off anywhere is an error that says so.
func TestVerifyTruncated(t *testing.T) {
	data := rpmtest.Build(source)
	for end := range data {
		_, err := rpm.Verify(bytes.NewReader(data[:end]))
		if err == nil || !strings.Contains(err.Error(), "truncated") {
			t.Errorf("cut at %d of %d: %v", end, len(data), err)
		}
	}
}

func TestVerifyStreams(t *testing.T) {
	for name, v := range variants(t, binary) {
		data := rpmtest.Build(v)
		for kind, r := range map[string]io.Reader{
			"byte by byte":   iotest.OneByteReader(bytes.NewReader(data)),
			"data with EOF":  iotest.DataErrReader(bytes.NewReader(data)),
			"half of a read": iotest.HalfReader(bytes.NewReader(data)),
		} {
			if _, err := rpm.Verify(r); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
		for end := 0; end <= len(data); end += 97 {
			_, err := rpm.Verify(io.MultiReader(bytes.NewReader(data[:end]), failing{}))
			if !errors.Is(err, errFailing) {
				t.Errorf("%s: at %d got %v, want the source's error", name, end, err)
			}
		}
	}
}

// ReadPackage reads exactly what is before the payload.
func TestReadPackageStops(t *testing.T) {
	data := rpmtest.Build(binary)
	r := bytes.NewReader(data)
	p, err := rpm.ReadPackage(r)
	if err != nil {
		t.Fatal(err)
	}
	if at := int64(len(data) - r.Len()); at != p.PayloadOffset {
		t.Errorf("stopped at %d, payload starts at %d", at, p.PayloadOffset)
	}
}

// Verifying a package of 8 MB of content takes no more memory than a small one.
func TestVerifyMemory(t *testing.T) {
	big := binary
	big.Files = []rpmtest.File{{Path: "/big", Content: strings.Repeat("0123456789abcde\n", 4<<20)}}
	for _, compressor := range []string{"none", "gzip"} {
		big.Payload = compressor
		data := rpmtest.Build(big)
		if got := allocated(func() {
			if _, err := rpm.Verify(bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
		}); got > 2<<20 {
			t.Errorf("%s: verifying a package of %d bytes took %d bytes", compressor, len(data), got)
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
