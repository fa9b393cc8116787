package truth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Read calls each with every line in order, until it fails. A last line that
// was cut off, as by kill -9, is left out.
func Read(r io.Reader, each func(Line) error) error {
	b := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := b.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("truth file: %w", err)
		}
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("truth file, line %d: %w", n, err)
		}
		if err := each(l); err != nil {
			return err
		}
	}
}
