//! Setting up a customer: against the sandbox in each reading of the references, and with the real command.

mod add;
mod doctor;
mod fixture;
mod map;
mod probe;
mod walk;
