package modkey

//lint:file-ignore SA1019 EL6's kernel verifies nothing but DSA of 1024 bits

import (
	"crypto/dsa"
	"crypto/hmac"
	"crypto/sha1"
	"math/big"
	"slices"
)

// signDSA signs a SHA-1 digest with the nonce of RFC 6979, section 3.2, so that
// equal digests have equal signatures. The group's order has 160 bits, as many as
// the digest, so that no bits must be cut off.
func signDSA(key *dsa.PrivateKey, digest [sha1.Size]byte) (r, s *big.Int) {
	z := new(big.Int).SetBytes(digest[:])
	next := nonces(key, z)
	for {
		k := next()
		if k.Sign() == 0 || k.Cmp(key.Q) >= 0 {
			continue
		}
		r = new(big.Int).Exp(key.G, k, key.P)
		r.Mod(r, key.Q)
		s = new(big.Int).Mul(key.X, r)
		s.Add(s, z)
		s.Mul(s, new(big.Int).ModInverse(k, key.Q))
		s.Mod(s, key.Q)
		if r.Sign() != 0 && s.Sign() != 0 {
			return r, s
		}
	}
}

// nonces returns a function that returns the candidates for k in their order, which
// are those of steps b to h.
func nonces(key *dsa.PrivateKey, z *big.Int) func() *big.Int {
	octets := func(n *big.Int) []byte { return n.FillBytes(make([]byte, sha1.Size)) }
	seed := slices.Concat(octets(key.X), octets(new(big.Int).Mod(z, key.Q)))
	v, k := slices.Repeat([]byte{1}, sha1.Size), make([]byte, sha1.Size)
	k = mac(k, v, []byte{0}, seed)
	v = mac(k, v)
	k = mac(k, v, []byte{1}, seed)
	v = mac(k, v)
	first := true
	return func() *big.Int {
		if !first {
			k = mac(k, v, []byte{0})
			v = mac(k, v)
		}
		first = false
		v = mac(k, v)
		return new(big.Int).SetBytes(v)
	}
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha1.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
