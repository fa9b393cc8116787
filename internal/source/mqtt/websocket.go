package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

// wsConn is a WebSocket as a stream of bytes: MQTT does not care how its
// packets are cut into messages (MQTT 3.1.1, section 6).
type wsConn struct {
	*websocket.Conn
	message io.Reader // being read; nil between messages
}

func dialWebsocket(ctx context.Context, u *url.URL, config *tls.Config) (net.Conn, error) {
	unhook := func() bool { return true }
	dialer := websocket.Dialer{TLSClientConfig: config, Subprotocols: []string{"mqtt"}}
	dialer.NetDialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil { // what follows looks at the deadline of ctx only
			unhook = context.AfterFunc(ctx, func() { _ = raw.Close() })
		}
		return raw, err
	}
	conn, response, err := dialer.DialContext(ctx, u.String(), nil)
	unhook()
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("open the WebSocket: %w", err)
	}
	return &wsConn{Conn: conn}, nil
}

// Read reads on, across messages.
func (c *wsConn) Read(p []byte) (int, error) {
	for {
		if c.message == nil {
			_, r, err := c.NextReader()
			if err != nil {
				return 0, err
			}
			c.message = r
		}
		n, err := c.message.Read(p)
		if errors.Is(err, io.EOF) {
			c.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write sends p as one binary message.
func (c *wsConn) Write(p []byte) (int, error) {
	if err := c.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline sets both deadlines.
func (c *wsConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
