// Package tests has other people's code judge what a Tallystick node produces: the Go project's own
// note and tlog packages and transparency-dev's formats must accept it, and refuse it once altered.
package tests

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/transparency-dev/formats/log"
	cosigned "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Cases are what tests/ledger/witness/test_go.py has written of a real ledger.
type cases struct {
	Origin      string   `json:"origin"`
	LogKey      string   `json:"logKey"`
	WitnessKeys []string `json:"witnessKeys"`
	Checkpoints []string `json:"checkpoints"`
	Inclusion   []struct {
		Leaf  string `json:"leaf"`
		Proof string `json:"proof"`
	} `json:"inclusion"`
	Consistency []struct {
		From  int64    `json:"from"`
		To    int64    `json:"to"`
		Proof []string `json:"proof"`
	} `json:"consistency"`
}

func load(t *testing.T) cases {
	t.Helper()
	path := os.Getenv("TALLY_GO_CASES")
	if path == "" {
		t.Skip("TALLY_GO_CASES names no file: pytest tests/ledger/witness/test_go.py makes one")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found cases
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Checkpoints) < 3 || len(found.Inclusion) < 3 || len(found.Consistency) < 3 {
		t.Fatal("too little to judge")
	}
	return found
}

func verifiers(t *testing.T, c cases) (note.Verifier, []note.Verifier) {
	t.Helper()
	own, err := note.NewVerifier(c.LogKey)
	if err != nil {
		t.Fatalf("log key: %v", err)
	}
	var witnesses []note.Verifier
	for _, key := range c.WitnessKeys {
		witness, err := cosigned.NewVerifierForCosignatureV1(key)
		if err != nil {
			t.Fatalf("witness key: %v", err)
		}
		witnesses = append(witnesses, witness)
	}
	return own, witnesses
}

// Opened gives the root of each checkpoint by its size, the log's own signature verified.
func opened(t *testing.T, c cases) map[uint64]tlog.Hash {
	t.Helper()
	own, _ := verifiers(t, c)
	roots := map[uint64]tlog.Hash{}
	for _, text := range c.Checkpoints {
		checkpoint, rest, _, err := log.ParseCheckpoint([]byte(text), c.Origin, own)
		if err != nil || len(rest) != 0 {
			t.Fatalf("checkpoint: %v, rest %q", err, rest)
		}
		roots[checkpoint.Size] = tlog.Hash(checkpoint.Hash)
	}
	return roots
}

func TestCheckpointsAreSignedByTheLogAndEveryWitness(t *testing.T) {
	c := load(t)
	own, witnesses := verifiers(t, c)
	for _, text := range c.Checkpoints {
		_, _, signed, err := log.ParseCheckpoint([]byte(text), c.Origin, own, witnesses...)
		if err != nil {
			t.Fatal(err)
		}
		if len(signed.Sigs) != 1+len(witnesses) || len(signed.UnverifiedSigs) != 0 {
			t.Fatalf("%d verified, %d not", len(signed.Sigs), len(signed.UnverifiedSigs))
		}
		for _, signature := range signed.Sigs {
			if signature.Name == c.Origin {
				continue
			}
			when, err := cosigned.CoSigV1Timestamp(signature)
			if err != nil || time.Since(when).Abs() > time.Hour {
				t.Errorf("%s signed at %v: %v", signature.Name, when, err)
			}
		}
	}
}

func TestNoAlteredCheckpointIsAccepted(t *testing.T) {
	c := load(t)
	own, witnesses := verifiers(t, c)
	all := note.VerifierList(append(witnesses, own)...)
	for _, text := range c.Checkpoints {
		for at := range text {
			altered := []byte(text)
			altered[at] ^= 0x01
			signed, err := note.Open(altered, all)
			if err != nil || len(signed.Sigs) <= len(witnesses) || same(t, signed, text, all) {
				continue
			}
			t.Errorf("byte %d of a checkpoint may be altered", at)
		}
	}
}

// Same tells whether a note says and bears the very same as another one: Go's base64 overlooks the two
// bits that are left over at the end of a signature.
func same(t *testing.T, signed *note.Note, text string, all note.Verifiers) bool {
	t.Helper()
	original, err := note.Open([]byte(text), all)
	if err != nil {
		t.Fatal(err)
	}
	if signed.Text != original.Text || len(signed.Sigs) != len(original.Sigs) {
		return false
	}
	for at := range signed.Sigs {
		left, _ := base64.StdEncoding.DecodeString(signed.Sigs[at].Base64)
		right, _ := base64.StdEncoding.DecodeString(original.Sigs[at].Base64)
		if !bytes.Equal(left, right) {
			return false
		}
	}
	return true
}

func TestInclusionProofsLeadToTheCheckpoint(t *testing.T) {
	c := load(t)
	own, witnesses := verifiers(t, c)
	for _, one := range c.Inclusion {
		leaf, err := base64.StdEncoding.DecodeString(one.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		var given proof.TLogProof
		if err := given.Unmarshal([]byte(one.Proof)); err != nil {
			t.Fatal(err)
		}
		checkpoint, _, _, err := log.ParseCheckpoint(given.Checkpoint, c.Origin, own, witnesses...)
		if err != nil {
			t.Fatal(err)
		}
		var path tlog.RecordProof
		for _, hash := range given.Hashes {
			path = append(path, tlog.Hash(hash))
		}
		size, index := int64(checkpoint.Size), int64(given.Index)
		root, hash := tlog.Hash(checkpoint.Hash), tlog.RecordHash(leaf)
		if err := tlog.CheckRecord(path, size, root, index, hash); err != nil {
			t.Errorf("leaf %d of %d: %v", index, size, err)
		}
		for at := range path {
			path[at][7] ^= 0x10
			if tlog.CheckRecord(path, size, root, index, hash) == nil {
				t.Errorf("leaf %d of %d: hash %d may be altered", index, size, at)
			}
			path[at][7] ^= 0x10
		}
		if tlog.CheckRecord(path, size, root, index, tlog.RecordHash(append(leaf, ' '))) == nil {
			t.Errorf("leaf %d of %d: another leaf is accepted", index, size)
		}
	}
}

func TestConsistencyProofsLeadFromOneCheckpointToTheOther(t *testing.T) {
	c := load(t)
	roots := opened(t, c)
	for _, one := range c.Consistency {
		older, newer := roots[uint64(one.From)], roots[uint64(one.To)]
		var path tlog.TreeProof
		for _, text := range one.Proof {
			hash, err := tlog.ParseHash(text)
			if err != nil {
				t.Fatal(err)
			}
			path = append(path, hash)
		}
		if err := tlog.CheckTree(path, one.To, newer, one.From, older); err != nil {
			t.Errorf("%d to %d: %v", one.From, one.To, err)
		}
		for at := range path {
			path[at][0] ^= 0x80
			if tlog.CheckTree(path, one.To, newer, one.From, older) == nil {
				t.Errorf("%d to %d: hash %d may be altered", one.From, one.To, at)
			}
			path[at][0] ^= 0x80
		}
		older[0] ^= 0x01
		if tlog.CheckTree(path, one.To, newer, one.From, older) == nil {
			t.Errorf("%d to %d: another root is accepted", one.From, one.To)
		}
	}
}
