package repodata

import (
	"fmt"
	"net/url"
	"strings"
)

// Source tells yum and dnf where a repository is. It is the content of a .repo file for
// /etc/yum.repos.d.
type Source struct {
	// ID is the short name of the repository, of letters, digits, and .:_- only.
	ID   string
	Name string
	// BaseURL is the http, https, ftp or file URL of the folder that has repodata/.
	// It may have variables of yum, such as $basearch.
	BaseURL string
	// Key is the name of the armored public key beside repodata/, with which packages
	// and index are checked. It is empty if the repository is not signed.
	Key string
}

// File returns the text of the .repo file. It is an error if a field would mean something
// else there.
func (s Source) File() (string, error) {
	if s.ID == "" || strings.Trim(s.ID, idLetters) != "" || strings.ContainsAny(s.Name+s.Key, "\r\n") {
		return "", fmt.Errorf("making the .repo file: ID %q, name %q: the ID must consist of letters, digits and .:_-, and the name must be one line", s.ID, s.Name)
	}
	base := strings.TrimRight(s.BaseURL, "/")
	u, err := url.Parse(base)
	if err != nil || !repoScheme[u.Scheme] || u.Host == "" && u.Scheme != "file" || strings.ContainsAny(base, " \t\r\n") {
		return "", fmt.Errorf("making the .repo file: %q is not the http, https, ftp or file URL of a folder", s.BaseURL)
	}
	checked, key := 0, ""
	if s.Key != "" {
		checked, key = 1, "gpgkey="+base+"/"+url.PathEscape(s.Key)+"\n"
	}
	return fmt.Sprintf("[%s]\nname=%s\nbaseurl=%s/\nenabled=1\ngpgcheck=%d\nrepo_gpgcheck=%d\n%s", s.ID, s.Name, base, checked, checked, key), nil
}

const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-"

var repoScheme = map[string]bool{"http": true, "https": true, "ftp": true, "file": true}
