// Package namibuild embeds files in the binary: the definitions of the builder
// images, and the recipes that come with namibuild. It has nothing else. The command
// is cmd/namibuild, the library builder.
package namibuild

import "embed"

// Files has Dockerfile.centos6, images/ and recipes/ of this folder. Files whose
// names begin with a dot or an underscore are left out, and modes are lost.
//
//go:embed Dockerfile.centos6 images recipes
var Files embed.FS
