// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token anybody may mint: what the hostile ones have in common.
abstract contract OpenToken is ERC20 {
    uint8 private immutable _places;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) {
        _places = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _places;
    }

    function mint(address account, uint256 value) external {
        _mint(account, value);
    }
}

/// One percent of what is sent never arrives: it is burnt.
contract FeeOnTransferToken is OpenToken {
    constructor(string memory n, string memory s, uint8 d) OpenToken(n, s, d) {}

    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0) || to == address(0)) {
            super._update(from, to, value);
            return;
        }
        uint256 fee = value / 100;
        super._update(from, address(0), fee);
        super._update(from, to, value - fee);
    }
}

/// Answers false instead of reverting, and moves nothing.
contract ReturnsFalseToken is OpenToken {
    constructor(string memory n, string memory s, uint8 d) OpenToken(n, s, d) {}

    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// Reverts on every transfer, in words.
contract RevertingToken is OpenToken {
    constructor(string memory n, string memory s, uint8 d) OpenToken(n, s, d) {}

    function transfer(address, uint256) public pure override returns (bool) {
        revert("transfers are paused");
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        revert("transfers are paused");
    }
}

/// Honest until somebody puts an account on its list; then nothing goes to or from that account.
contract BlacklistToken is OpenToken {
    mapping(address => bool) public isBlacklisted;

    constructor(string memory n, string memory s, uint8 d) OpenToken(n, s, d) {}

    function setBlacklisted(address account, bool listed) external {
        isBlacklisted[account] = listed;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!isBlacklisted[from] && !isBlacklisted[to], "account is blacklisted");
        super._update(from, to, value);
    }
}
