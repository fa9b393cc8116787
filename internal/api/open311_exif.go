package api

import "encoding/binary"

// orientation finds Exif's orientation in a JPEG, 1 where it says none. It
// looks at the segments before the picture only.
func orientation(data []byte) int {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		kind, size := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if kind == 0xda || size < 2 || at+2+size > len(data) {
			break
		}
		if segment := data[at+4 : at+2+size]; kind == 0xe1 && len(segment) > 14 && string(segment[:6]) == "Exif\x00\x00" {
			return tiffOrientation(segment[6:])
		}
		at += 2 + size
	}
	return 1
}

// tiffOrientation reads tag 0x0112 of the first directory.
func tiffOrientation(tiff []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if string(tiff[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at:]
	n := int(order.Uint16(entries))
	for i := range n {
		from := 2 + 12*i
		if from+12 > len(entries) {
			break
		}
		if entry := entries[from:]; order.Uint16(entry) == 0x0112 {
			if turn := int(order.Uint16(entry[8:])); turn >= 1 && turn <= 8 {
				return turn
			}
			break
		}
	}
	return 1
}
