package repodata

import (
	"fmt"
	"net/url"
	"strings"
)

// Source tells yum and dnf where a repository is: a .repo file for
// /etc/yum.repos.d.
type Source struct {
	// ID is the repository's short name: letters, digits, and .:_- .
	ID   string
	Name string
	// BaseURL is the folder that holds repodata/: http, https, ftp or file. yum's
	// variables ($basearch) may stand in it.
	BaseURL string
	// Key is the name of the armored public key beside repodata/. Packages and index
	// are then checked against it; "" is a repository that nobody signed.
	Key string
}

// File is the text of the .repo file, or an error where a field would say
// something else there.
func (s Source) File() (string, error) {
	if s.ID == "" || strings.Trim(s.ID, idLetters) != "" || strings.ContainsAny(s.Name+s.Key, "\r\n") {
		return "", fmt.Errorf("making the .repo file: %q, %q: an id of letters, digits and .:_- and a name of one line were expected", s.ID, s.Name)
	}
	base := strings.TrimRight(s.BaseURL, "/")
	u, err := url.Parse(base)
	if err != nil || !repoScheme[u.Scheme] || u.Host == "" && u.Scheme != "file" || strings.ContainsAny(base, " \t\r\n") {
		return "", fmt.Errorf("making the .repo file: %q is no URL of a folder (http, https, ftp or file)", s.BaseURL)
	}
	checked, key := 0, ""
	if s.Key != "" {
		checked, key = 1, "gpgkey="+base+"/"+url.PathEscape(s.Key)+"\n"
	}
	return fmt.Sprintf("[%s]\nname=%s\nbaseurl=%s/\nenabled=1\ngpgcheck=%d\nrepo_gpgcheck=%d\n%s", s.ID, s.Name, base, checked, checked, key), nil
}

const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-"

var repoScheme = map[string]bool{"http": true, "https": true, "ftp": true, "file": true}
