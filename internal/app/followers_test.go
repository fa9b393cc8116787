package app

import "github.com/simpang-id/simpang/internal/journal/followertest"

// What the suite drives is what the runner drives.
var (
	_ Follower              = followertest.Follower(nil)
	_ followertest.Follower = Follower(nil)
)
