//! The tenants' credentials. What is valid outside and what our secret store holds can differ for a while: that is what
//! a rotation is. A credential's text says whose it is, so that one that turns up at the wrong place tells on itself.

/// All credentials.
pub struct Vault {
    tenants: Vec<Keys>,
}

/// One tenant's.
#[derive(Clone, Copy, Default)]
struct Keys {
    /// The generation that is valid outside.
    valid: u32,
    /// The generation that our secret store has.
    stored: u32,
    /// The generation of the callback token.
    callback: u32,
}

impl Vault {
    /// The first generation of everything.
    pub fn new(tenants: usize) -> Self {
        Self {
            tenants: vec![Keys::default(); tenants],
        }
    }

    /// The customer makes new credentials; the old ones are refused from now on.
    pub fn rotate(&mut self, tenant: usize) {
        self.tenants[tenant].valid += 1;
    }

    /// The operator stores them.
    pub fn follow(&mut self, tenant: usize) {
        self.tenants[tenant].stored = self.tenants[tenant].valid;
    }

    /// The operator makes a new callback token; the one before stays valid for a while.
    pub fn renew_callback(&mut self, tenant: usize) {
        self.tenants[tenant].callback += 1;
    }

    /// What our secret store has for a tenant.
    pub fn stored(&self, tenant: usize) -> String {
        credential(tenant, self.tenants[tenant].stored)
    }

    /// Whose credential this is, and whether it is valid.
    pub fn check(&self, credential: &str) -> Option<(usize, bool)> {
        let mut parts = credential.rsplit('-');
        let generation: u32 = parts.next()?.parse().ok()?;
        let tenant: usize = parts.next()?.parse().ok()?;
        let keys = self.tenants.get(tenant)?;
        Some((tenant, keys.valid == generation))
    }

    /// The callback tokens: the one that is valid, and the one before.
    pub fn callback(&self, tenant: usize) -> (String, Option<String>) {
        let now = self.tenants[tenant].callback;
        (
            token(tenant, now),
            now.checked_sub(1).map(|before| token(tenant, before)),
        )
    }
}

fn credential(tenant: usize, generation: u32) -> String {
    format!("key-{tenant}-{generation}")
}

fn token(tenant: usize, generation: u32) -> String {
    format!("{:064x}", (tenant + 1) * 1000 + generation as usize)
}
