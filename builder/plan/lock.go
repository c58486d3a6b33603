package plan

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"unicode/utf8"

	"namibuild/builder/recipe"
)

// lockForm is the form of a lock's file.
const lockForm = "namibuild lock 1"

// MaxLock is how big a lock's file may be, in bytes: the files beside a recipe
// have at most 64 MiB, and base64 takes a third more.
const MaxLock = 96 << 20

// Lock is one build, to be made again: its plan, the recipe it came from with all
// that lies beside it, and the builder image as it was. It is a plain value.
type Lock struct {
	Plan Plan
	// Page is the recipe's file.
	Page LockedFile
	// Beside are the files that the recipe names, by their paths from it.
	Beside []LockedFile
	// Layers are the digests of the builder image's file system; empty: the
	// image was not known, and its definition alone is pinned.
	Layers []string
}

// LockedFile is a file with its content.
type LockedFile struct {
	File       string
	Executable bool
	Content    []byte
}

// lockPage is a lock as JSON.
type lockPage struct {
	Form   string       `json:"form"`
	PlanID string       `json:"planID"`
	Plan   Plan         `json:"plan"`
	Recipe lockedPage   `json:"recipe"`
	Beside []lockedPage `json:"beside"`
	Layers []string     `json:"imageLayers"`
}

// lockedPage has the content as text where it is some.
type lockedPage struct {
	File       string `json:"file"`
	Executable bool   `json:"executable,omitempty"`
	SHA256     string `json:"sha256"`
	Text       string `json:"text,omitempty"`
	Base64     []byte `json:"base64,omitempty"`
}

// Write gives the lock's file: the same bytes for the same lock.
func (l Lock) Write() ([]byte, error) {
	page := lockPage{Form: lockForm, PlanID: l.Plan.ID(), Plan: l.Plan, Recipe: written(l.Page), Beside: []lockedPage{}, Layers: append([]string{}, l.Layers...)}
	page.Plan.Source.Mirrors = nil // in the recipe, and not in the plan's ID
	for _, f := range l.Beside {
		page.Beside = append(page.Beside, written(f))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(page); err != nil {
		return nil, fmt.Errorf("writing the lock: %w", err)
	}
	return b.Bytes(), nil
}

func written(f LockedFile) lockedPage {
	p := lockedPage{File: f.File, Executable: f.Executable, SHA256: digest(f.Content)}
	if utf8.Valid(f.Content) {
		p.Text = string(f.Content)
	} else {
		p.Base64 = f.Content
	}
	return p
}

// ParseLock reads a lock's file. All that it says of itself is checked: the
// plan's ID, every digest.
func ParseLock(r io.Reader) (Lock, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxLock+1))
	if err == nil && len(data) > MaxLock {
		err = fmt.Errorf("it has more than %d bytes", MaxLock)
	}
	if err != nil {
		return Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	var page lockPage
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&page); err != nil {
		return Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Lock{}, errors.New("reading the lock: something stands behind its end")
	}
	l, err := page.lock()
	if err != nil {
		return Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	return l, nil
}

func (p lockPage) lock() (Lock, error) {
	l := Lock{Plan: p.Plan, Layers: p.Layers}
	if p.Form != lockForm {
		return l, fmt.Errorf("its form is %q, want %q", p.Form, lockForm)
	}
	if id := p.Plan.ID(); id != p.PlanID {
		return l, fmt.Errorf("the plan in it has the ID %s, and it says %q", id, p.PlanID)
	}
	var err error
	if l.Page, err = p.Recipe.file(); err != nil {
		return l, err
	}
	for _, one := range p.Beside {
		f, err := one.file()
		if err == nil && slices.ContainsFunc(l.Beside, func(o LockedFile) bool { return o.File == f.File }) {
			err = fmt.Errorf("%s stands twice in it", f.File)
		}
		if err != nil {
			return l, err
		}
		l.Beside = append(l.Beside, f)
	}
	return l, nil
}

func (p lockedPage) file() (LockedFile, error) {
	f := LockedFile{p.File, p.Executable, append([]byte(p.Text), p.Base64...)}
	switch {
	case !fs.ValidPath(p.File) || p.File == ".":
		return f, fmt.Errorf("%q is no path of a file beside the recipe", p.File)
	case p.Text != "" && p.Base64 != nil:
		return f, fmt.Errorf("%s has text and base64", p.File)
	case digest(f.Content) != p.SHA256:
		return f, fmt.Errorf("sha256 of %s got %s, want %q", p.File, digest(f.Content), p.SHA256)
	}
	return f, nil
}

// Recipe is the locked recipe with the locked files beside it, and with the
// SRPM's digest as what vouches for the source. A source that is a file of the
// host is one no more: it has to be in the store.
func (l Lock) Recipe() (recipe.Recipe, error) {
	beside, err := l.files()
	if err != nil {
		return recipe.Recipe{}, fmt.Errorf("reading the lock: %w", err)
	}
	r, err := recipe.Read(l.Page.File, l.Page.Content, beside)
	if err != nil {
		return r, err
	}
	if r.Source.Pack == "" {
		r.Source.SHA256 = l.Plan.SRPM.SHA256
	}
	return r, nil
}

// files are the files beside the recipe as a file system in memory, which the
// standard library has in the form of a zip archive.
func (l Lock) files() (fs.FS, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range l.Beside {
		h := &zip.FileHeader{Name: f.File, Method: zip.Store}
		h.SetMode(0o644)
		if f.Executable {
			h.SetMode(0o755)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
}
