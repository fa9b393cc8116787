package sourcetest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
)

// Client is an MQTT client without a mind of its own: it sends what the test
// says and shows what comes. Not for use from several goroutines.
type Client struct {
	tb      testing.TB
	net     net.Conn
	in      *bufio.Reader
	version byte
}

// Dial opens a connection; config is nil for plain TCP.
func Dial(tb testing.TB, address string, config *tls.Config) *Client {
	tb.Helper()
	var conn net.Conn
	var err error
	if config != nil {
		conn, err = (&tls.Dialer{Config: config}).DialContext(tb.Context(), "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(tb.Context(), "tcp", address)
	}
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	return &Client{tb: tb, net: conn, in: bufio.NewReader(conn), version: 4}
}

// Hello is a CONNECT.
type Hello struct {
	V5        bool
	ID        string // default: the user
	User      string
	Secret    string
	Keep      bool // not a clean start; with V5 the session lives an hour
	KeepAlive uint16
	WillTopic string
	Will      string
	WillDelay uint32 // s; V5 only
}

// Hello sends a CONNECT and returns the CONNACK.
func (c *Client) Hello(h Hello) packets.Packet {
	c.tb.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 4}
	if h.V5 {
		pk.ProtocolVersion = 5
		if h.Keep {
			pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 3600, true
		}
	}
	c.version = pk.ProtocolVersion
	if h.ID == "" {
		h.ID = h.User
	}
	pk.Connect = packets.ConnectParams{
		ProtocolName: []byte("MQTT"), ClientIdentifier: h.ID, Clean: !h.Keep, Keepalive: h.KeepAlive,
		UsernameFlag: h.User != "", Username: []byte(h.User), PasswordFlag: h.Secret != "", Password: []byte(h.Secret),
	}
	if h.WillTopic != "" {
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload, pk.Connect.WillRetain = true, h.WillTopic, []byte(h.Will), true
		if h.WillDelay > 0 {
			pk.Connect.WillProperties.WillDelayInterval = h.WillDelay
		}
	}
	c.Send(pk)
	return c.Expect(packets.Connack)
}

// Publish sends a PUBLISH.
func (c *Client) Publish(topic string, payload []byte, qos byte, id uint16, change ...func(*packets.Packet)) {
	c.tb.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: topic, Payload: payload, PacketID: id}
	for _, f := range change {
		f(&pk)
	}
	c.Send(pk)
}

// Ack sends a packet of that type with that identifier.
func (c *Client) Ack(kind byte, id uint16) {
	c.tb.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: id}
	if kind == packets.Pubrel {
		pk.FixedHeader.Qos = 1
	}
	c.Send(pk)
}

// Subscribe subscribes at QoS 1 and returns the reason codes of the SUBACK.
func (c *Client) Subscribe(filters ...string) []byte {
	c.tb.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 60000}
	for _, f := range filters {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: f, Qos: 1})
	}
	c.Send(pk)
	return c.Expect(packets.Suback).ReasonCodes
}

// Encode returns the bytes of a packet.
func Encode(tb testing.TB, pk packets.Packet) []byte {
	tb.Helper()
	var buf bytes.Buffer
	var err error
	switch pk.FixedHeader.Type {
	case packets.Connect:
		err = pk.ConnectEncode(&buf)
	case packets.Publish:
		err = pk.PublishEncode(&buf)
	case packets.Puback:
		err = pk.PubackEncode(&buf)
	case packets.Pubrel:
		err = pk.PubrelEncode(&buf)
	case packets.Subscribe:
		err = pk.SubscribeEncode(&buf)
	case packets.Pingreq:
		err = pk.PingreqEncode(&buf)
	case packets.Disconnect:
		err = pk.DisconnectEncode(&buf)
	default:
		require.FailNow(tb, "not a packet that a client sends here", "%d", pk.FixedHeader.Type)
	}
	require.NoError(tb, err)
	return buf.Bytes()
}

// Send sends a packet.
func (c *Client) Send(pk packets.Packet) {
	c.tb.Helper()
	pk.ProtocolVersion = c.version
	_, err := c.net.Write(Encode(c.tb, pk))
	require.NoError(c.tb, err)
}

// Write sends bytes as they are.
func (c *Client) Write(b []byte) error {
	_, err := c.net.Write(b)
	return err
}

// Read returns the next packet, io.EOF or a network error when the connection
// ended; within ends the waiting.
func (c *Client) Read(within time.Duration) (packets.Packet, error) {
	_ = c.net.SetReadDeadline(time.Now().Add(within))
	return ReadPacket(c.in, c.version)
}

// Expect returns the next packet, which must be of that type.
func (c *Client) Expect(kind byte) packets.Packet {
	c.tb.Helper()
	pk, err := c.Read(Wait)
	require.NoError(c.tb, err, "waiting for %s", packets.PacketNames[kind])
	require.Equal(c.tb, packets.PacketNames[kind], packets.PacketNames[pk.FixedHeader.Type], "%+v", pk)
	return pk
}

// Silent checks that nothing comes for a while.
func (c *Client) Silent() {
	c.tb.Helper()
	pk, err := c.Read(Quiet)
	require.Error(c.tb, err, "a packet came: %+v", pk)
	require.True(c.tb, os.IsTimeout(err), "the connection ended: %v", err)
}

// Ended checks that the server ends the connection, and returns the reason code
// of its DISCONNECT, 0 where there was none.
func (c *Client) Ended() (code byte) {
	c.tb.Helper()
	deadline := time.Now().Add(Wait)
	for {
		pk, err := c.Read(time.Until(deadline))
		if err != nil {
			require.False(c.tb, os.IsTimeout(err), "the connection is still open")
			return code
		}
		if pk.FixedHeader.Type == packets.Disconnect {
			code = pk.ReasonCode
		}
	}
}

// Close ends the connection without a word.
func (c *Client) Close() { _ = c.net.Close() }

// ReadPacket reads one packet.
func ReadPacket(in *bufio.Reader, version byte) (packets.Packet, error) {
	pk := packets.Packet{ProtocolVersion: version}
	first, err := in.ReadByte()
	if err != nil {
		return pk, err
	}
	if err := pk.FixedHeader.Decode(first); err != nil {
		return pk, err
	}
	if pk.FixedHeader.Remaining, _, err = packets.DecodeLength(in); err != nil {
		return pk, err
	}
	body := make([]byte, pk.FixedHeader.Remaining)
	if _, err := io.ReadFull(in, body); err != nil {
		return pk, err
	}
	return pk, decode(&pk, body)
}

func decode(pk *packets.Packet, body []byte) error {
	switch pk.FixedHeader.Type {
	case packets.Connack:
		return pk.ConnackDecode(body)
	case packets.Publish:
		return pk.PublishDecode(body)
	case packets.Puback:
		return pk.PubackDecode(body)
	case packets.Pubrec:
		return pk.PubrecDecode(body)
	case packets.Pubrel:
		return pk.PubrelDecode(body)
	case packets.Pubcomp:
		return pk.PubcompDecode(body)
	case packets.Suback:
		return pk.SubackDecode(body)
	case packets.Disconnect:
		if len(body) > 0 {
			pk.ReasonCode = body[0]
		}
	}
	return nil
}
