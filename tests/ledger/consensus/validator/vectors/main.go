// Makes ../vectors.json: requests, and what CometBFT itself signs of them.
//
//	go mod init vectors && go get github.com/cometbft/cometbft@v0.38.25 && go run . > ../vectors.json
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/rand"
	"os"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/privval"
	privvalproto "github.com/cometbft/cometbft/proto/tendermint/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

type vector struct {
	Name      string `json:"name"`
	ChainID   string `json:"chainId"`
	Request   string `json:"request"`
	SignBytes string `json:"signBytes"`
	Extension string `json:"extensionSignBytes,omitempty"`
	Response  string `json:"response"`
}

var seed = make([]byte, 32)
var source = rand.New(rand.NewSource(38))

func bytes(size int) []byte {
	made := make([]byte, size)
	source.Read(made)
	return made
}

func block() cmtproto.BlockID {
	return cmtproto.BlockID{Hash: bytes(32), PartSetHeader: cmtproto.PartSetHeader{Total: 1 + source.Uint32()%1000, Hash: bytes(32)}}
}

func moments() []time.Time {
	return []time.Time{
		time.Time{},
		time.Unix(0, 0).UTC(),
		time.Unix(1, 1).UTC(),
		time.Unix(1700000000, 999999999).UTC(),
		time.Date(1969, 12, 31, 23, 59, 59, 5, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Unix(source.Int63n(1<<33), source.Int63n(1e9)).UTC(),
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func signer(chain string) *privval.FilePV {
	folder, err := os.MkdirTemp("", "vectors")
	if err != nil {
		panic(err)
	}
	return privval.NewFilePV(ed25519.GenPrivKeyFromSecret(seed), folder+"/key.json", folder+"/state.json")
}

func vote(name, chain string, v cmtproto.Vote) vector {
	request := privvalproto.Message{Sum: &privvalproto.Message_SignVoteRequest{SignVoteRequest: &privvalproto.SignVoteRequest{Vote: &v, ChainId: chain}}}
	made := vector{Name: name, ChainID: chain, Request: base64.StdEncoding.EncodeToString(must(request.Marshal()))}
	made.SignBytes = hex.EncodeToString(types.VoteSignBytes(chain, &v))
	if v.Type == cmtproto.PrecommitType && len(v.BlockID.Hash) > 0 {
		made.Extension = hex.EncodeToString(types.VoteExtensionSignBytes(chain, &v))
	}
	response, err := privval.DefaultValidationRequestHandler(signer(chain), request, chain)
	if err != nil {
		panic(err)
	}
	made.Response = base64.StdEncoding.EncodeToString(must(response.Marshal()))
	return made
}

func proposal(name, chain string, p cmtproto.Proposal) vector {
	request := privvalproto.Message{Sum: &privvalproto.Message_SignProposalRequest{SignProposalRequest: &privvalproto.SignProposalRequest{Proposal: &p, ChainId: chain}}}
	made := vector{Name: name, ChainID: chain, Request: base64.StdEncoding.EncodeToString(must(request.Marshal()))}
	made.SignBytes = hex.EncodeToString(types.ProposalSignBytes(chain, &p))
	response, err := privval.DefaultValidationRequestHandler(signer(chain), request, chain)
	if err != nil {
		panic(err)
	}
	made.Response = base64.StdEncoding.EncodeToString(must(response.Marshal()))
	return made
}

func main() {
	var all []vector
	chains := []string{"t", "tallystick-1", "änderung-溯源", "chain-of-the-longest-name-that-CometBFT-will-take-"}
	heights := []int64{1, 127, 128, 1 << 40, math.MaxInt64}
	rounds := []int32{0, 1, 300, math.MaxInt32}
	for number, moment := range moments() {
		for _, kind := range []cmtproto.SignedMsgType{cmtproto.PrevoteType, cmtproto.PrecommitType} {
			v := cmtproto.Vote{Type: kind, Height: heights[number%len(heights)], Round: rounds[number%len(rounds)],
				BlockID: block(), Timestamp: moment, ValidatorAddress: bytes(20), ValidatorIndex: int32(number)}
			all = append(all, vote("vote", chains[number%len(chains)], v))
			v.BlockID = cmtproto.BlockID{}
			all = append(all, vote("vote for nil", chains[number%len(chains)], v))
		}
		v := cmtproto.Vote{Type: cmtproto.PrecommitType, Height: heights[number%len(heights)], Round: rounds[number%len(rounds)],
			BlockID: block(), Timestamp: moment, ValidatorAddress: bytes(20), Extension: bytes(1 + 40*number)}
		all = append(all, vote("vote with extension", chains[number%len(chains)], v))
		round := rounds[number%len(rounds)]
		p := cmtproto.Proposal{Type: cmtproto.ProposalType, Height: heights[number%len(heights)], Round: round,
			PolRound: -1, BlockID: block(), Timestamp: moment}
		all = append(all, proposal("proposal", chains[number%len(chains)], p))
		if round > 0 {
			p.PolRound = round - 1
			all = append(all, proposal("proposal with proof of lock", chains[number%len(chains)], p))
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	key := ed25519.GenPrivKeyFromSecret(seed)
	err := out.Encode(map[string]any{"seed": hex.EncodeToString(key[:32]), "publicKey": hex.EncodeToString(key.PubKey().Bytes()), "vectors": all})
	if err != nil {
		panic(err)
	}
}
