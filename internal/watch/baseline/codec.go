package baseline

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// version is the first byte of what is written.
const version = 1

var errCodec = errors.New("baseline: the stored state is none of this version of the program, or was cut: remove it, and the series is learned anew")

// AppendBinary appends what is remembered: a version, the state, and each
// profile behind its kind.
func (s *Series) AppendBinary(data []byte) ([]byte, error) {
	data, err := binary.Append(append(data, version), binary.LittleEndian, &s.state)
	for kind, p := range s.profiles {
		if p == nil || err != nil {
			continue
		}
		data, err = binary.Append(append(data, byte(kind)), binary.LittleEndian, p)
	}
	return data, err
}

// MarshalBinary writes what is remembered.
func (s *Series) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *Series) UnmarshalBinary(data []byte) error {
	*s = Series{}
	if len(data) == 0 || data[0] != version {
		return errCodec
	}
	n, err := binary.Decode(data[1:], binary.LittleEndian, &s.state)
	if err != nil {
		return errCodec
	}
	for data = data[1+n:]; len(data) > 0; {
		kind := data[0]
		if kind >= byte(Kinds) || s.profiles[kind] != nil {
			return errCodec
		}
		s.profiles[kind] = new(profile)
		n, err := binary.Decode(data[1:], binary.LittleEndian, s.profiles[kind])
		if err != nil {
			return errCodec
		}
		data = data[1+n:]
	}
	return nil
}

// MarshalText writes what is remembered as base64, for JSON.
func (s *Series) MarshalText() ([]byte, error) {
	data, err := s.MarshalBinary()
	return base64.StdEncoding.AppendEncode(nil, data), err
}

// UnmarshalText reads what MarshalText wrote.
func (s *Series) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return errCodec
	}
	return s.UnmarshalBinary(data)
}
