//! Setting a customer up: against the sandbox in each of its readings, and with the real command.

mod add;
mod doctor;
mod fixture;
mod map;
mod probe;
mod walk;
