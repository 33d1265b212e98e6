//! The first UART, a 16550: text out, lines in.
//!
//! Sixteen bytes go out for one look at whether there is room, which is what the chip promises. A byte that
//! comes in interrupts through the I/O APIC's pin 4; who misses that sees it at the next tick.

use crate::cpu::{in8, out8};

const BASE: u16 = 0x3f8;
const STATUS: u16 = BASE + 5;
const RECEIVED: u8 = 1;
const ROOM: u8 = 0x20;
const ROOM_FOR: usize = 16;

/// Eight bits, queues on, an interrupt for what comes in.
pub fn open() {
    out8(BASE + 3, 0x03);
    out8(BASE + 2, 0x07);
    out8(BASE + 4, 0x0b);
    out8(BASE + 1, 0x01);
    // QEMU holds back what came before the queue was on until a byte is taken.
    in8(BASE);
}

/// Sends text.
pub fn say(text: &[u8]) {
    for piece in text.chunks(ROOM_FOR) {
        while in8(STATUS) & ROOM == 0 {}
        for byte in piece {
            out8(BASE, *byte);
        }
    }
}

/// What came in since the last end of a line.
pub struct Line {
    bytes: [u8; Self::LIMIT],
    length: usize,
    is_told: bool,
}

impl Line {
    /// The longest line; what goes past it is dropped.
    const LIMIT: usize = 1024;

    /// An empty one.
    pub fn new() -> Self {
        Self { bytes: [0; Self::LIMIT], length: 0, is_told: false }
    }

    /// The next whole line, as far as it came in; empty lines are none.
    pub fn receive(&mut self) -> Option<&[u8]> {
        if self.is_told {
            self.length = 0;
            self.is_told = false;
        }
        while in8(STATUS) & RECEIVED != 0 {
            let byte = in8(BASE);
            if byte == b'\r' || byte == b'\n' {
                if self.length > 0 {
                    self.is_told = true;
                    return self.bytes.get(..self.length);
                }
            } else if let Some(free) = self.bytes.get_mut(self.length) {
                *free = byte;
                self.length += 1;
            }
        }
        None
    }
}
