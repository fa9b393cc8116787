package serial_test

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source/serial"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/modbus"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// unit is a Modbus RTU slave of the test, written from the frames alone: it
// shares no code with the master.
type unit struct {
	registers []uint16
	// spoil changes an answer, nil: none; asked counts its questions.
	spoil func(n int, answer []byte) []byte
	asked int
}

// bus is the far end of a line with several units.
type bus struct {
	mu     sync.Mutex
	units  map[byte]*unit
	master *os.File
}

func plugBus(t *testing.T, name string, units map[byte]*unit) *bus {
	t.Helper()
	blocking, slave, err := pty.Open()
	require.NoError(t, err)
	fd, err := unix.Dup(int(blocking.Fd()))
	require.NoError(t, err)
	require.NoError(t, blocking.Close())
	require.NoError(t, unix.SetNonblock(fd, true))
	b := &bus{units: units, master: os.NewFile(uintptr(fd), "master")}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.serve()
	}()
	t.Cleanup(func() {
		_ = b.master.Close()
		_ = slave.Close()
		<-done
	})
	_ = os.Remove(name)
	require.NoError(t, os.Symlink(slave.Name(), name))
	return b
}

// serve answers each question of eight bytes whose CRC is right.
func (b *bus) serve() {
	ask := make([]byte, 8)
	for {
		if _, err := io.ReadFull(b.master, ask); err != nil {
			return
		}
		if plainCRC(ask[:6]) != binary.LittleEndian.Uint16(ask[6:]) {
			continue
		}
		b.mu.Lock()
		u := b.units[ask[0]]
		var answer []byte
		if u != nil {
			answer = u.answer(ask)
		}
		b.mu.Unlock()
		if len(answer) > 0 {
			_, _ = b.master.Write(answer)
		}
	}
}

func (u *unit) answer(ask []byte) []byte {
	u.asked++
	start, count := int(binary.BigEndian.Uint16(ask[2:])), int(binary.BigEndian.Uint16(ask[4:]))
	body := []byte{ask[0], ask[1], byte(2 * count)}
	if start+count > len(u.registers) {
		body = []byte{ask[0], ask[1] | 0x80, 2}
	} else {
		for _, w := range u.registers[start : start+count] {
			body = binary.BigEndian.AppendUint16(body, w)
		}
	}
	answer := binary.LittleEndian.AppendUint16(body, plainCRC(body))
	if u.spoil != nil {
		return u.spoil(u.asked, answer)
	}
	return answer
}

// plainCRC divides bit by bit, the other way round than the program does: the
// polynomial is 0x8005, the bits of each byte and of the remainder are turned.
func plainCRC(frame []byte) uint16 {
	turn := func(v uint16, bits int) (out uint16) {
		for range bits {
			out, v = out<<1|v&1, v>>1
		}
		return out
	}
	crc := uint16(0xFFFF)
	for _, c := range frame {
		crc ^= turn(uint16(c), 8) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x8005
			} else {
				crc <<= 1
			}
		}
	}
	return turn(crc, 16)
}

func (b *bus) set(number byte, change func(*unit)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b.units[number])
}

func polled(t *testing.T, sink *sourcetest.Sink, name string, units ...modbus.UnitFile) *serial.Source {
	t.Helper()
	m, problems := modbus.Compile(&modbus.File{Timeout: "250ms", Every: "100ms", Units: units})
	require.Empty(t, problems)
	s, _, _ := start(t, sink, func(o *serial.Options) {
		o.Port, o.Poll = name, &serial.Poll{Map: m, Encode: native.Encode, Decode: native.Decode}
	})
	return s
}

func cars(number int, device string, register int) modbus.UnitFile {
	return modbus.UnitFile{Unit: number, Device: device, Kind: "count", Registers: []modbus.RegisterFile{
		{Function: "input", Register: register, Type: "uint32", Words: "low_first", Means: "occupied", Class: "car"},
	}}
}

// occupied takes messages until each of the devices has sent its count.
func occupied(t *testing.T, sink *sourcetest.Sink, want map[string]uint32) {
	t.Helper()
	got := map[string]uint32{}
	seq := map[string]uint64{}
	for limit := time.After(3 * sourcetest.Wait); ; {
		select {
		case m := <-sink.Messages():
			m.Done(true)
			require.Empty(t, m.Decoded.Refused)
			r := m.Decoded.Readings[0]
			require.Greater(t, r.Seq, seq[m.Device])
			seq[m.Device] = r.Seq
			got[m.Device] = r.Count.Occupied
		case <-limit:
			require.Equal(t, want, got)
		}
		same := len(got) >= len(want)
		for device, n := range want {
			same = same && got[device] == n
		}
		if same {
			require.Len(t, got, len(want), "who does not answer measures nothing")
			return
		}
	}
}

func TestUnitsOnALine(t *testing.T) {
	sink := sourcetest.NewSink(16)
	name := filepath.Join(t.TempDir(), "bus")
	b := plugBus(t, name, map[byte]*unit{
		1: {registers: []uint16{0, 7, 0}},
		2: {registers: []uint16{9, 0}},
		4: {registers: []uint16{1}}, // too few: an exception
	})
	s := polled(t, sink, name, cars(1, "one", 1), cars(2, "two", 0), cars(3, "absent", 0), cars(4, "refuses", 0))
	occupied(t, sink, map[string]uint32{"one": 7, "two": 9})
	sourcetest.Until(t, func() bool { return s.Stats().NoAnswers.Load() >= 2 && s.Stats().Exceptions.Load() >= 1 }, "%+v", s)
	detail := s.Status().Detail
	require.Contains(t, detail, "unit 3 (absent): no answer in time")
	require.Contains(t, detail, "unit 4 (refuses): the unit answers with exception 2")

	b.set(1, func(u *unit) { u.registers = []uint16{0, 0, 1} })
	b.set(4, func(u *unit) { u.registers = []uint16{3, 0} })
	occupied(t, sink, map[string]uint32{"one": 65536, "two": 9, "refuses": 3})
	sourcetest.Until(t, func() bool { return !strings.Contains(s.Status().Detail, "refuses") }, "%s", s.Status().Detail)
}

// TestBadAnswersAreNeverReadings: a flipped bit, a cut, another's number, and
// an answer that comes when the next question was asked.
func TestBadAnswersAreNeverReadings(t *testing.T) {
	sink := sourcetest.NewSink(16)
	name := filepath.Join(t.TempDir(), "bus")
	var late []byte
	b := plugBus(t, name, map[byte]*unit{1: {registers: []uint16{7, 0}}})
	b.units[1].spoil = func(n int, answer []byte) []byte {
		switch n % 5 {
		case 1:
			answer[4] ^= 0x20
		case 2:
			return answer[:6]
		case 3:
			answer[0] = 9
			return binary.LittleEndian.AppendUint16(answer[:7], plainCRC(answer[:7]))
		case 4:
			late = answer
			return nil
		}
		wrong := append([]byte{}, late...) // of before, and the right one behind it
		return append(wrong, answer...)
	}
	s := polled(t, sink, name, cars(1, "one", 0))
	sourcetest.Until(t, func() bool { return s.Stats().BadAnswers.Load() >= 4 && s.Stats().NoAnswers.Load() >= 4 }, "%+v", s)
	for sink.Len() > 0 {
		require.Equal(t, uint32(7), sink.TakeDone(t).Decoded.Readings[0].Count.Occupied)
	}
}

func TestASlowUnitIsWaitedFor(t *testing.T) {
	sink := sourcetest.NewSink(16)
	name := filepath.Join(t.TempDir(), "bus")
	b := plugBus(t, name, map[byte]*unit{1: {registers: []uint16{7, 0}}})
	b.set(1, func(u *unit) {
		u.spoil = func(_ int, answer []byte) []byte {
			_, _ = b.master.Write(answer[:3])
			time.Sleep(60 * time.Millisecond) // a unit that thinks, within the time-out
			return answer[3:]
		}
	})
	s := polled(t, sink, name, cars(1, "one", 0))
	occupied(t, sink, map[string]uint32{"one": 7})
	require.Zero(t, s.Stats().BadAnswers.Load())
}

func TestTheBusIsUnplugged(t *testing.T) {
	sink := sourcetest.NewSink(64)
	name := filepath.Join(t.TempDir(), "bus")
	plugBus(t, name, map[byte]*unit{1: {registers: []uint16{5, 0}}})
	s := polled(t, sink, name, cars(1, "one", 0))
	occupied(t, sink, map[string]uint32{"one": 5})
	plugBus(t, name, map[byte]*unit{1: {registers: []uint16{6, 0}}})
	occupied(t, sink, map[string]uint32{"one": 6})
	require.GreaterOrEqual(t, s.Stats().Opens.Load(), uint64(2))
}

func TestValuesBeyondReasonAreRefusedByName(t *testing.T) {
	sink := sourcetest.NewSink(16)
	name := filepath.Join(t.TempDir(), "bus")
	plugBus(t, name, map[byte]*unit{1: {registers: []uint16{0, 0xFFFF}}})
	polled(t, sink, name, cars(1, "one", 0))
	m := sink.TakeDone(t)
	require.Empty(t, m.Decoded.Readings)
	require.Equal(t, city.ReasonImpossible, m.Decoded.Refused[0].Reason)
}
