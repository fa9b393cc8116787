package journal

// EncodeEntry appends the canonical bytes of a whole entry, for what keeps
// entries outside of batches (the archive):
//
//	type | flags | position | receive time | source | body
func EncodeEntry(dst []byte, e *Entry) ([]byte, error) {
	dst = append(dst, byte(e.Type), byte(e.Flags))
	dst = appendInt(appendUint(dst, e.Pos), e.Recv)
	return EncodeBody(appendString(dst, e.Source), e)
}

// EntryDecoder decodes entries one by one with few allocations. It is not for
// concurrent use.
type EntryDecoder struct{ d decoder }

// Decode returns the entry of which b are the canonical bytes; b may be used
// again afterwards.
func (d *EntryDecoder) Decode(b []byte) (Entry, error) {
	r := reader{b: b, names: &d.d.names}
	e := Entry{Type: Type(r.byte()), Flags: Flags(r.byte()), Pos: r.uint(), Recv: r.int(), Source: r.name()}
	d.d.body(&e, &r)
	return e, r.end()
}
