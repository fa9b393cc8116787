// Package udev holds the rules that name serial lines; its test lets udev read
// them.
package udev
