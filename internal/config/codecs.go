package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire/codec"
)

// Codecs reads the file of codecs and their scripts, with every fault. None are
// read where the configuration names no file.
func Codecs(c *Config) (list []codec.Codec, scripts []string, faults []Fault) {
	if c.CodecsFile == "" {
		return nil, nil, nil
	}
	var file codec.File
	doc, faults := table(c.CodecsFile, &file)
	if len(faults) > 0 {
		return nil, nil, faults
	}
	fault := func(path, format string, args ...any) {
		faults = append(faults, Fault{File: c.CodecsFile, Line: doc.Line(path), Message: path + " " + fmt.Sprintf(format, args...)})
	}
	list, problems := codec.Load(&file)
	for _, p := range problems {
		fault(p.Path, "%s", p.Message)
	}
	for i := range list {
		at := fmt.Sprintf("codecs[%d].", i)
		data, err := os.ReadFile(scriptPath(c, &list[i]))
		sum := sha256.Sum256(data)
		switch {
		case err != nil:
			fault(at+"file", "cannot be read (%v): name the vendor's JavaScript file, from the folder of this one", err)
		case len(data) > codec.MaxScript:
			fault(at+"file", "is %s, which is larger than %d KiB: take the codec alone, without what it was built with", list[i].File, codec.MaxScript>>10)
		case list[i].SHA256 != "" && list[i].SHA256 != hex.EncodeToString(sum[:]):
			fault(at+"sha256", "is not that of %s, which has %x: see who changed it, then write the new one", list[i].File, sum)
		}
		scripts = append(scripts, string(data))
	}
	if len(faults) > 0 {
		return nil, nil, faults
	}
	return list, scripts, nil
}

// CodecsSum tells whether the file of codecs or a script was changed.
func CodecsSum(c *Config, scripts []string) string {
	if c.CodecsFile == "" {
		return ""
	}
	file, err := os.ReadFile(c.CodecsFile)
	if err != nil { // it was read just before
		return err.Error()
	}
	sum := sha256.New()
	for _, text := range append([]string{string(file)}, scripts...) {
		fmt.Fprintf(sum, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// scriptPath is where a codec's script is: its name is relative to the file
// that has it.
func scriptPath(c *Config, one *codec.Codec) string {
	if filepath.IsAbs(one.File) {
		return one.File
	}
	return filepath.Join(filepath.Dir(c.CodecsFile), one.File)
}

// TryCodecs loads the script of each codec in its sandbox. Unserved is why they
// could not be tried at all.
func TryCodecs(c *Config, list []codec.Codec, codecs *sandbox.Codecs) (faults []Fault, unserved error) {
	for i := range list {
		line, err := codecs.Check(i)
		switch {
		case err == nil:
		case errors.Is(err, sandbox.ErrUnserved):
			return faults, err
		default:
			faults = append(faults, Fault{File: scriptPath(c, &list[i]), Line: line, Message: err.Error()})
		}
	}
	return faults, nil
}

// codecs checks the codecs and their scripts, and returns which kinds their
// profiles have.
func (k *checker) codecs() map[string][]city.Kind {
	if k.isBad("codecs_file") {
		return nil
	}
	list, scripts, faults := Codecs(k.c)
	k.faults = append(k.faults, faults...)
	if len(list) == 0 {
		return nil
	}
	codecs := sandbox.NewCodecs(list, scripts, sandbox.Options{Log: slog.New(slog.DiscardHandler), Processes: 1})
	faults, unserved := TryCodecs(k.c, list, codecs)
	if err := codecs.Close(); err != nil {
		k.fault("codecs_file", "could not be tried: %v", err)
	}
	k.faults = append(k.faults, faults...)
	if unserved != nil {
		k.fault("codecs_file", "could not be tried: %v", unserved)
	}
	return Kinds(list)
}

// Kinds are the kinds of device of each codec's profile.
func Kinds(list []codec.Codec) map[string][]city.Kind {
	kinds := map[string][]city.Kind{}
	for i := range list {
		kinds[list[i].Profile] = list[i].Kinds
	}
	return kinds
}
