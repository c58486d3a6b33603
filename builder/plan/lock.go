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

// lockForm names the file format of a lock, and its version.
const lockForm = "namibuild lock 1"

// maxLock is the size limit of a lock's file, in bytes. The files beside a recipe
// have at most 64 MiB, and base64 takes a third more.
const maxLock = 96 << 20

// Lock has all that is needed to make a build again: its plan, its recipe with all
// files beside it, and the digests of the builder image. It is a plain value.
type Lock struct {
	Plan Plan
	// Page is the recipe's file.
	Page LockedFile
	// Beside are the files that the recipe names. Their paths are relative to its
	// folder.
	Beside []LockedFile
	// Layers are the digests of the builder image's file system. They are empty if
	// the image was not known; then only its definition is locked.
	Layers []string
}

// LockedFile is a file in a lock.
type LockedFile struct {
	File       string
	Executable bool
	Content    []byte
}

// lockJSON is the JSON form of a lock.
type lockJSON struct {
	Form   string     `json:"form"`
	PlanID string     `json:"planID"`
	Plan   Plan       `json:"plan"`
	Recipe fileJSON   `json:"recipe"`
	Beside []fileJSON `json:"beside"`
	Layers []string   `json:"imageLayers"`
}

// fileJSON is the JSON form of a LockedFile. The content is in Text if it is valid
// UTF-8, and in Base64 otherwise.
type fileJSON struct {
	File       string `json:"file"`
	Executable bool   `json:"executable,omitempty"`
	SHA256     string `json:"sha256"`
	Text       string `json:"text,omitempty"`
	Base64     []byte `json:"base64,omitempty"`
}

// Write returns the content of the lock's file. It is the same for equal locks.
func (l Lock) Write() ([]byte, error) {
	out := lockJSON{Form: lockForm, PlanID: l.Plan.ID(), Plan: l.Plan, Recipe: toJSON(l.Page), Beside: []fileJSON{}, Layers: append([]string{}, l.Layers...)}
	out.Plan.Source.Mirrors = nil // the recipe has them, and the plan's ID does not cover them
	for _, f := range l.Beside {
		out.Beside = append(out.Beside, toJSON(f))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		return nil, fmt.Errorf("writing the lock: %w", err)
	}
	return b.Bytes(), nil
}

func toJSON(f LockedFile) fileJSON {
	p := fileJSON{File: f.File, Executable: f.Executable, SHA256: digest(f.Content)}
	if utf8.Valid(f.Content) {
		p.Text = string(f.Content)
	} else {
		p.Base64 = f.Content
	}
	return p
}

// ParseLock reads a lock's file. It checks the plan's ID and every digest in it.
func ParseLock(r io.Reader) (Lock, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxLock+1))
	if err == nil && len(data) > maxLock {
		err = fmt.Errorf("it has more than %d bytes", maxLock)
	}
	if err != nil {
		return Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	var in lockJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Lock{}, errors.New("reading the lock: there is more text behind its end")
	}
	l, err := in.lock()
	if err != nil {
		return Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	return l, nil
}

func (p lockJSON) lock() (Lock, error) {
	l := Lock{Plan: p.Plan, Layers: p.Layers}
	if p.Form != lockForm {
		return l, fmt.Errorf("form is %q, want %q", p.Form, lockForm)
	}
	if id := p.Plan.ID(); id != p.PlanID {
		return l, fmt.Errorf("planID is %[2]q, but the plan has the ID %[1]s", id, p.PlanID)
	}
	var err error
	if l.Page, err = p.Recipe.file(); err != nil {
		return l, err
	}
	for _, one := range p.Beside {
		f, err := one.file()
		if err == nil && slices.ContainsFunc(l.Beside, func(o LockedFile) bool { return o.File == f.File }) {
			err = fmt.Errorf("%s is in it twice", f.File)
		}
		if err != nil {
			return l, err
		}
		l.Beside = append(l.Beside, f)
	}
	return l, nil
}

func (p fileJSON) file() (LockedFile, error) {
	f := LockedFile{p.File, p.Executable, append([]byte(p.Text), p.Base64...)}
	switch {
	case !fs.ValidPath(p.File) || p.File == ".":
		return f, fmt.Errorf("%q is not the path of a file beside the recipe", p.File)
	case p.Text != "" && p.Base64 != nil:
		return f, fmt.Errorf("%s has both text and base64", p.File)
	case digest(f.Content) != p.SHA256:
		return f, fmt.Errorf("sha256 of %s got %s, want %q", p.File, digest(f.Content), p.SHA256)
	}
	return f, nil
}

// Recipe returns the locked recipe, with the locked files beside it. Its source
// must have the digest of the locked SRPM. If the source is a file of the host,
// the path is not known any more, and the SRPM has to be in the store.
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

// files returns the files beside the recipe as a file system in memory. It is a zip
// archive, because the standard library can read that as a file system.
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
