package namibuild_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "draw the layers in "+architecture+" again")

const (
	architecture = "docs/architecture.md"
	files        = "docs/files.md"
)

// pages are the documents whose paths must exist.
var pages = []string{architecture, files, "docs/security.md", "CONTRIBUTING.md", "README.md", "examples/README.md", "recipes/README.md"}

// TestArchitectureLayers checks that the drawing of the layers shows the table
// floors. With -update it draws them again.
func TestArchitectureLayers(t *testing.T) {
	const begin, end = "<!-- layers -->\n", "<!-- end of layers -->\n"
	page := read(t, architecture)
	before, rest, ok := strings.Cut(page, begin)
	drawn, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the layers", architecture)
	}
	want := "```\n" + drawing() + "```\n"
	switch {
	case drawn == want:
	case *update:
		if err := os.WriteFile(architecture, []byte(before+begin+want+end+after), 0o666); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the layers in %s are not those of arrows_test.go; go test -run Architecture . -update draws them again", architecture)
	}
}

// TestArchitectureFiles checks that docs/files.md has one row for each file of Go that is
// not a test or for tests.
func TestArchitectureFiles(t *testing.T) {
	rows := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|\n]+ \\|$").FindAllStringSubmatch(read(t, files), -1) {
		rows[row[1]]++
	}
	for _, f := range goFiles(t, os.DirFS(".")) {
		if f.test() || support(f.dir()) {
			continue
		}
		if rows[f.path] != 1 {
			t.Errorf("%s has %d rows for %s, want 1", files, rows[f.path], f.path)
		}
		delete(rows, f.path)
	}
	for name := range rows { // those beside Go, too
		if _, err := os.Stat(name); err != nil || strings.HasSuffix(name, ".go") {
			t.Errorf("%s has a row for %s, which does not exist or needs none", files, name)
		}
	}
}

// drawing returns the floors as a stack of boxes, the top first. Names are without
// builder/.
func drawing() string {
	const width = 88
	line := "+" + strings.Repeat("-", width+2) + "+\n"
	all := line
	for _, layer := range floors {
		text := ""
		for _, pkg := range layer {
			name := strings.TrimPrefix(pkg, "builder/")
			if name == "." {
				name = "embed.go"
			}
			if text != "" {
				text += "   "
			}
			text += name
		}
		if len(text) > width {
			at := strings.LastIndex(text[:width], "   ")
			all += fmt.Sprintf("| %-*s |\n", width, text[:at])
			text = text[at+3:]
		}
		all += fmt.Sprintf("| %-*s |\n", width, text) + line
	}
	return all
}

// TestArchitecturePackages checks that the page has one row for each package.
func TestArchitecturePackages(t *testing.T) {
	var packages []string
	for _, f := range goFiles(t, os.DirFS(".")) {
		packages = append(packages, f.dir())
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	_, table, _ := strings.Cut(read(t, architecture), "\n## Packages\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var rows []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		rows = append(rows, row[1])
	}
	for _, pkg := range packages {
		if !slices.Contains(rows, pkg) {
			t.Errorf("%s has no row for the package %s", architecture, pkg)
		}
	}
	slices.Sort(rows)
	for i, row := range rows {
		if !slices.Contains(packages, row) {
			t.Errorf("%s has a row for %s, which is no package", architecture, row)
		}
		if i > 0 && rows[i-1] == row {
			t.Errorf("%s has two rows for %s", architecture, row)
		}
	}
}

// inTree matches the path of a file or folder of this repository.
var inTree = regexp.MustCompile(`(?:^|[\s(|"` + "`" + `])((?:\.\./|\./)?(?:builder|cmd|docs|examples|images|recipes|scripts)/[A-Za-z0-9_.*/-]*)`)

// TestDocumentsNameFiles checks that every path in the documents exists.
func TestDocumentsNameFiles(t *testing.T) {
	for _, page := range pages {
		found := 0
		for _, m := range inTree.FindAllStringSubmatch(read(t, page), -1) {
			found++
			name := strings.TrimRight(strings.TrimLeft(m[1], "./"), "./")
			if paths, err := filepath.Glob(name); err != nil || len(paths) == 0 {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
		if page == architecture && found < 100 {
			t.Errorf("%d paths were found in %s", found, page)
		}
	}
}

// TestArchitectureNames checks that the names in the table of places are in the
// files that their row names.
func TestArchitectureNames(t *testing.T) {
	_, places, _ := strings.Cut(read(t, architecture), "\n## Where a new thing belongs\n")
	quoted := regexp.MustCompile("`([^`]+)`")
	identifier := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]*$`)
	checked := 0
	for row := range strings.Lines(places) {
		cells := strings.SplitN(row, "|", 3) // the first cell is what a person wants to add
		if len(cells) < 3 {
			continue
		}
		text, names := "", []string{}
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			switch word := m[1]; {
			case strings.HasSuffix(word, ".go"):
				text += read(t, word)
			case identifier.MatchString(word):
				names = append(names, word[strings.LastIndex(word, ".")+1:])
			}
		}
		for _, name := range names {
			checked++
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(text) {
				t.Errorf("%s: none of the files of the row %q has the name %s", architecture, strings.TrimSpace(cells[1]), name)
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d names were looked for", checked)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
