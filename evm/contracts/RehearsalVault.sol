// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// A vault of OpenZeppelin's ERC-4626 with nothing of its own but a name and the decimals its shares add.
/// It earns when somebody gives it assets; `lose` lets a rehearsal show a loss.
contract RehearsalVault is ERC4626 {
    uint8 private immutable _offset;
    address private immutable _keeper;

    constructor(IERC20 asset_, string memory name_, string memory symbol_, uint8 offset_)
        ERC20(name_, symbol_)
        ERC4626(asset_)
    {
        _offset = offset_;
        _keeper = msg.sender;
    }

    function lose(uint256 assets) external {
        require(msg.sender == _keeper, "only the keeper");
        require(IERC20(asset()).transfer(_keeper, assets), "not given");
    }

    function _decimalsOffset() internal view override returns (uint8) {
        return _offset;
    }
}
