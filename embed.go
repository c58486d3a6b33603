// Package namibuild carries what namibuild builds with into its binary: the
// definitions of the builder images and the recipes that ship. Nothing else is
// in here; the command is cmd/namibuild, the library builder.
package namibuild

import "embed"

// Files hold Dockerfile.centos6, images/ and recipes/ as they lie here. Names
// that begin with a dot or an underscore are left out, and modes are not kept.
//
//go:embed Dockerfile.centos6 images recipes
var Files embed.FS
