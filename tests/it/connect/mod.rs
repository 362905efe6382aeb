//! Setting a customer up: against the sandbox in each of its readings, and with the real command.

mod add;
mod doctor;
mod map;
mod office;
mod probe;
mod walk;
