// Command interop reads a record with off-the-shelf log tools, and writes notes for our code to read.
//
//	interop check RECORD POLICY LOG-VKEY WITNESS-VKEY...
//	interop receipt FILE ENTRY-FILE LOG-VKEY
//	interop make NAME
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 4 && args[0] == "check":
		return check(args[1], args[2], args[3], args[4:])
	case len(args) == 4 && args[0] == "receipt":
		return receipt(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "make":
		return make_(args[1])
	}
	return errors.New("unknown arguments")
}

// check verifies a whole record: signatures, policy, every tile, every entry, and consistency from every size.
func check(record, policyFile, logVkey string, witnessVkeys []string) error {
	raw, err := os.ReadFile(filepath.Join(record, "checkpoint"))
	if err != nil {
		return err
	}
	logVerifier, err := note.NewVerifier(logVkey)
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{}
	for _, vkey := range witnessVkeys {
		v, err := cosignature.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, v)
	}
	head, _, opened, err := log.ParseCheckpoint(raw, logVerifier.Name(), logVerifier, verifiers...)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for _, sig := range opened.Sigs[1:] {
		if _, err := cosignature.CoSigV1Timestamp(sig); err != nil {
			return fmt.Errorf("cosignature of %s: %w", sig.Name, err)
		}
	}
	policy, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	group, err := witness.ParsePolicy(policy)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if !group.Satisfied(raw) {
		return errors.New("policy: not satisfied")
	}

	tree := tlog.Tree{N: int64(head.Size), Hash: tlog.Hash(head.Hash)}
	reader := tlog.TileHashReader(tree, &tiles{record})
	for i := int64(0); i < tree.N; i++ {
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err != nil {
			return fmt.Errorf("tile of entry %d: %w", i, err)
		}
		entry, err := entryAt(record, i, tree.N)
		if err != nil {
			return err
		}
		if tlog.RecordHash(entry) != hashes[0] {
			return fmt.Errorf("entry %d does not hash to its leaf", i)
		}
	}
	for n := int64(1); n < tree.N; n++ {
		old, err := tlog.TreeHash(n, reader)
		if err != nil {
			return err
		}
		steps, err := tlog.ProveTree(tree.N, n, reader)
		if err != nil {
			return err
		}
		hashes := [][]byte{}
		for _, step := range steps {
			hashes = append(hashes, bytes.Clone(step[:]))
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(n), head.Size, hashes, old[:], head.Hash); err != nil {
			return fmt.Errorf("consistency from %d: %w", n, err)
		}
	}
	fmt.Printf("size %d signatures %d\n", head.Size, len(opened.Sigs))
	return nil
}

// tiles gives the tiles of a C2SP tlog-tiles directory to a tlog.TileReader.
type tiles struct{ record string }

func (t *tiles) Height() int                     { return 8 }
func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	out := [][]byte{}
	for _, tile := range list {
		// tlog writes tile/8/LEVEL/..., tlog-tiles leaves the height out.
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.record, name))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func entryAt(record string, index, size int64) ([]byte, error) {
	width := min(256, size-index/256*256)
	name := strings.Replace((tlog.Tile{H: 8, L: 0, N: index / 256, W: int(width)}).Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(record, name))
	if err != nil {
		return nil, err
	}
	for at := int64(0); ; at++ {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %s ends early", name)
		}
		entry := data[2 : 2+int(binary.BigEndian.Uint16(data))]
		if at == index%256 {
			return entry, nil
		}
		data = data[2+len(entry):]
	}
}

// receipt verifies a tlog-proof for an entry.
func receipt(file, entryFile, logVkey string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	var p tlogproof.TLogProof
	if err := p.Unmarshal(data); err != nil {
		return err
	}
	if !bytes.Equal(p.Marshal(), data) {
		return errors.New("receipt is not what Marshal writes")
	}
	v, err := note.NewVerifier(logVkey)
	if err != nil {
		return err
	}
	head, _, _, err := log.ParseCheckpoint(p.Checkpoint, v.Name(), v)
	if err != nil {
		return err
	}
	hashes := [][]byte{}
	for _, h := range p.Hashes {
		hashes = append(hashes, bytes.Clone(h[:]))
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, head.Size, leaf, hashes, head.Hash); err != nil {
		return err
	}
	fmt.Printf("index %d extra %s\n", p.Index, p.ExtraData)
	return nil
}

// make_ writes to standard output: log vkey, witness vkey, and a receipt for the entry "entry 5" of a log of 7.
func make_(name string) error {
	logSkey, logVkey, err := note.GenerateKey(rand.Reader, name+"/log")
	if err != nil {
		return err
	}
	witnessSkey, witnessVkey, err := note.GenerateKey(rand.Reader, name+"/witness")
	if err != nil {
		return err
	}
	logSigner, err := note.NewSigner(logSkey)
	if err != nil {
		return err
	}
	witnessSigner, err := cosignature.NewSignerForCosignatureV1(witnessSkey)
	if err != nil {
		return err
	}
	stored := []tlog.Hash{}
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := []tlog.Hash{}
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i := int64(0); i < 7; i++ {
		more, err := tlog.StoredHashes(i, []byte("entry "+strconv.FormatInt(i, 10)), reader)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(7, reader)
	if err != nil {
		return err
	}
	text := string(log.Checkpoint{Origin: name + "/log", Size: 7, Hash: root[:]}.Marshal())
	signed, err := note.Sign(&note.Note{Text: text}, logSigner, witnessSigner)
	if err != nil {
		return err
	}
	path, err := tlog.ProveRecord(7, 5, reader)
	if err != nil {
		return err
	}
	p := tlogproof.TLogProof{Index: 5, Checkpoint: signed, ExtraData: []byte("extra")}
	for _, h := range path {
		p.Hashes = append(p.Hashes, h)
	}
	// The witness's vkey of a plain key is turned into one of type 0x04.
	material, err := base64.StdEncoding.DecodeString(strings.SplitN(witnessVkey, "+", 3)[2])
	if err != nil {
		return err
	}
	material[0] = 4
	fmt.Println(logVkey)
	fmt.Printf("%s+%08x+%s\n", name+"/witness", witnessSigner.KeyHash(), base64.StdEncoding.EncodeToString(material))
	os.Stdout.Write(p.Marshal())
	return nil
}
