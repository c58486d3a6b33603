package source

import (
	"bytes"
	"strconv"
	"strings"
)

// git reads the part for one file of a diff by git, with its extended headers.
func (r *patchReader) git() (filePatch, *Fault) {
	f := filePatch{file: r.file, line: r.line}
	old, new, named := r.gitNames(string(bytes.TrimRight(r.peek()[len("diff --git "):], "\r\n")))
	r.next()
	created, deleted, renamed, fault := r.extended(&f, &old, &new)
	if fault != nil {
		return f, fault
	}
	if r.isPair() {
		before, after, fault := r.pair()
		if fault != nil {
			return f, fault
		}
		if f.hunks, fault = r.hunks(); fault != nil {
			return f, fault
		}
		if len(f.hunks) == 0 {
			return f, r.fault("a hunk behind --- and +++", "none")
		}
		created, deleted = created || before == "", deleted || after == ""
		old, new, named = before, after, true
	}
	if created {
		old = ""
	}
	if deleted {
		new = ""
	}
	f.old, f.new = old, new
	return f, f.check(named || renamed, renamed)
}

// check returns a fault if a part of git's diff contradicts itself.
func (f filePatch) check(named, renamed bool) *Fault {
	wrong := func(want, found string) *Fault { return &Fault{File: f.file, Line: f.line, Want: want, Found: found} }
	switch {
	case !named:
		return wrong("the name of a file", "none")
	case f.old == "" && f.new == "":
		return wrong("a file before or after", "neither")
	case f.old != "" && f.new != "" && f.old != f.new && !renamed:
		return wrong("one name or a rename", clip(f.old)+" and "+clip(f.new))
	case len(f.hunks) == 0 && f.mode == 0 && f.old == f.new:
		return wrong("a change of "+f.old, "none")
	}
	return nil
}

// extended reads the lines between "diff --git" and "---".
func (r *patchReader) extended(f *filePatch, old, new *string) (created, deleted, renamed bool, fault *Fault) {
	for line := r.peek(); line != nil && fault == nil; line = r.peek() {
		key, value := gitKey(string(bytes.TrimRight(line, "\r\n")))
		switch key {
		case "":
			return created, deleted, renamed, nil
		case "new file mode ", "new mode ":
			created = created || key == "new file mode "
			f.mode, fault = r.mode(value)
		case "deleted file mode ", "old mode ":
			deleted = deleted || key == "deleted file mode "
			_, fault = r.mode(value)
		case "rename from ":
			renamed = true
			*old, fault = r.renameName(value)
		case "rename to ":
			renamed = true
			*new, fault = r.renameName(value)
		case "copy from ", "copy to ":
			fault = r.fault("files that are made, changed, renamed or deleted", "a copy; git format-patch --no-renames writes it out")
		case "GIT binary patch", "Binary files ":
			fault = r.fault("text", "a binary file")
		}
		if fault == nil {
			r.next()
		}
	}
	return created, deleted, renamed, fault
}

// gitKeys are the extended headers that git writes.
var gitKeys = []string{
	"new file mode ", "new mode ", "deleted file mode ", "old mode ", "rename from ", "rename to ", "copy from ", "copy to ",
	"similarity index ", "dissimilarity index ", "index ", "GIT binary patch", "Binary files ",
}

func gitKey(line string) (key, value string) {
	for _, key := range gitKeys {
		if value, ok := strings.CutPrefix(line, key); ok {
			return key, value
		}
	}
	return "", ""
}

// mode parses the mode of a regular file.
func (r *patchReader) mode(digits string) (uint32, *Fault) {
	switch strings.TrimSpace(digits) {
	case "100644", "100664", "100600":
		return modePlain, nil
	case "100755", "100775", "100700":
		return modeProgram, nil
	case "120000":
		return 0, r.fault("regular files", "a symbolic link (mode 120000)")
	case "160000":
		return 0, r.fault("regular files", "a submodule (mode 160000)")
	}
	return 0, r.fault("mode 100644 or 100755", clip(digits))
}

// renameName returns the path of a rename. git writes it without the "a/" that is
// stripped from other names.
func (r *patchReader) renameName(name string) (string, *Fault) {
	if unquoted, err := strconv.Unquote(name); err == nil && strings.HasPrefix(name, `"`) {
		name = unquoted
	}
	return r.stripped(name, max(0, r.strip-1))
}

// gitNames returns the names in "a/x b/x". Names with blanks are found because both
// are equal after stripping. It returns false if it cannot tell the names; then
// the lines that follow have to name the file.
func (r *patchReader) gitNames(line string) (old, new string, ok bool) {
	if first, err := strconv.QuotedPrefix(line); err == nil && strings.HasPrefix(line, `"`) {
		second := strings.TrimPrefix(line[len(first):], " ")
		if b, err := strconv.Unquote(second); err == nil {
			second = b
		}
		a, _ := strconv.Unquote(first)
		return r.same(a, second)
	}
	for i := range len(line) {
		if line[i] != ' ' {
			continue
		}
		if old, new, ok = r.same(line[:i], line[i+1:]); ok {
			return old, new, true
		}
	}
	return "", "", false
}

// same strips both names, and tells whether they are then equal.
func (r *patchReader) same(a, b string) (old, new string, ok bool) {
	if len(a) != len(b) { // "a/" and "b/" have the same length
		return "", "", false
	}
	old, faultA := r.stripped(a, r.strip)
	new, faultB := r.stripped(b, r.strip)
	return old, new, faultA == nil && faultB == nil && old == new
}
