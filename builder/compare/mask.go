package compare

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
)

// token is a part of some bytes that is known to differ between builds.
type token struct {
	from, to int
	cause    *Cause
	follows  string // what it follows from, instead of a cause
}

// mask finds tokens of one form.
type mask struct {
	cause *Cause
	form  *regexp.Regexp
}

const (
	day   = `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*`
	month = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*`
	year  = `(?:19|20)\d\d`
	hms   = `[0-2]\d:[0-5]\d(?::[0-6]\d)?(?:\.\d+)?`
	zone  = `(?: ?(?:[A-Z]{3,4}|Z|[+-]\d\d:?\d\d))`
)

// masks are all masks. Of two tokens that overlap, the one of the earlier mask
// counts. If a form has a group, the group is the token.
var masks = []mask{
	{buildPath, regexp.MustCompile(`((?:/[\w.+~@:-]+)+)/BUILD(?:ROOT)?\b`)},
	{toolchain, regexp.MustCompile(`GCC: \([^()\n]{1,80}\)[^\x00\n]{0,60}`)},
	{toolchain, regexp.MustCompile(`\bgcc(?:-\d+)? (?:version \d[^\x00\n,")]{1,60}|\([^()\n]{1,80}\) \d[\d. ]*(?:\([^()\n]{1,40}\))?)`)},
	{toolchain, regexp.MustCompile(`GNU (?:ld|assembler) [^\x00\n,"]{1,80}`)},
	{user, regexp.MustCompile(`\(([\w.+-]{1,64})@[\w.-]{1,64}\)`)},
	{host, regexp.MustCompile(`\([\w.+-]{1,64}@([\w.-]{1,64})\)`)},
	{user, regexp.MustCompile(`\bLINUX_COMPILE_BY\s+"([^"\n]*)"`)},
	{host, regexp.MustCompile(`\bLINUX_COMPILE_(?:HOST|DOMAIN)\s+"([^"\n]*)"`)},
	{counter, regexp.MustCompile(`#(\d{1,6}) (?:SMP|PREEMPT|` + day + ` )`)},
	{clock, regexp.MustCompile(`\b(?:` + day + `,? +)?` + month + ` +[0-3]?\d,?(?: +` + hms + `)?` + zone + `? +` + year + `(?: +` + hms + `)?\b`)},
	{clock, regexp.MustCompile(`\b(?:` + day + `,? +)?[0-3]?\d[ -]` + month + `[ -]` + year + `(?: +` + hms + zone + `?)?\b`)},
	{clock, regexp.MustCompile(`\b` + month + ` ` + year + `\b`)},
	{clock, regexp.MustCompile(`\b` + year + `-[01]\d-[0-3]\d(?:[T ]` + hms + zone + `?)?\b`)},
	{clock, regexp.MustCompile(`\b[01]?\d/[0-3]?\d/(?:20)?\d\d\b`)},
	{clock, regexp.MustCompile(`\b[0-2]\d:[0-5]\d:[0-6]\d\b`)},
	{jobs, regexp.MustCompile(`(?:^|[\s"'=])-j ?(\d{1,4})\b`)},
	{tempName, regexp.MustCompile(`\bcc[A-Za-z0-9]{6}\.(?:o|s|i)\b`)},
	{tempName, regexp.MustCompile(`\brpm-tmp\.[A-Za-z0-9]{6}\b`)},
	{tempName, regexp.MustCompile(`/tmp/[\w.-]+`)},
}

// seconds is the form of a time in seconds since 1970, perhaps with nanoseconds as
// tar writes them.
var seconds = regexp.MustCompile(`\b([1-9]\d{9})(?:\.\d{1,9})?\b`)

// word is a name that each side has its own version of.
type word struct {
	cause   *Cause
	follows string
	a, b    string
}

// tokens returns all tokens in data, sorted and without overlap. Words count
// before masks; text returns the version of a word on this side.
func (c *comparer) tokens(data []byte, text func(word) string) []token {
	var all []token
	add := func(t token) {
		overlaps := func(o token) bool { return t.from < o.to && o.from < t.to }
		if t.from < t.to && !slices.ContainsFunc(all, overlaps) {
			all = append(all, t)
		}
	}
	for _, w := range c.words {
		for _, at := range wordsIn(data, text(w)) {
			add(token{at, at + len(text(w)), w.cause, w.follows})
		}
	}
	for _, k := range keys(data) {
		add(k)
	}
	for _, m := range masks {
		for _, at := range m.form.FindAllSubmatchIndex(data, -1) {
			add(token{from: at[len(at)-2], to: at[len(at)-1], cause: m.cause})
		}
	}
	for _, at := range seconds.FindAllSubmatchIndex(data, -1) { // times of the build or later
		if n, err := strconv.ParseInt(string(data[at[2]:at[3]]), 10, 64); err == nil && n >= c.since && n < 4102444800 { // 2100
			add(token{from: at[0], to: at[1], cause: clock})
		}
	}
	slices.SortFunc(all, func(x, y token) int { return cmp.Compare(x.from, y.from) })
	return all
}

// wordsIn returns the offsets of a word where it is not part of a longer one.
func wordsIn(data []byte, w string) []int {
	var all []int
	if len(w) < 2 {
		return nil
	}
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(w))
		if i < 0 {
			return all
		}
		from, to := at+i, at+i+len(w)
		if (from == 0 || !wordByte(data[from-1])) && (to == len(data) || !wordByte(data[to])) {
			all = append(all, from)
		}
		at = to
	}
}

// wordByte reports whether a byte can be part of a word.
func wordByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
}

// masked returns data with a placeholder for every token.
func masked(data []byte, tokens []token) []byte {
	var out bytes.Buffer
	at := 0
	for _, t := range tokens {
		out.Write(data[at:t.from])
		out.WriteString("\x00\x01\x00")
		if t.cause != nil {
			out.WriteString(t.cause.Name)
		}
		out.WriteString("\x00\x01\x00")
		at = t.to
	}
	out.Write(data[at:])
	return out.Bytes()
}

// pieces reports whether two pieces are equal but for their tokens, and records
// these if so. base is the offset of piece a in its content.
func (c *comparer) pieces(p Place, base int64, a, b []byte) bool {
	ta := c.tokens(a, func(w word) string { return w.a })
	tb := c.tokens(b, func(w word) string { return w.b })
	if len(ta) != len(tb) || !bytes.Equal(masked(a, ta), masked(b, tb)) {
		return false
	}
	for i, t := range ta {
		c.token(p.field(offset+"0x"+strconv.FormatInt(base+int64(t.from), 16)), t, a[t.from:t.to], b[tb[i].from:tb[i].to])
	}
	return true
}

// token records a token, if it differs.
func (c *comparer) token(p Place, t token, a, b []byte) {
	switch {
	case bytes.Equal(a, b):
	case t.cause == moduleKey:
		c.found.cause(moduleKey, p, keyText(a), keyText(b))
	case t.cause != nil:
		c.found.cause(t.cause, p, string(a), string(b))
	default:
		c.found.follows(t.follows, p, string(a), string(b))
	}
}
